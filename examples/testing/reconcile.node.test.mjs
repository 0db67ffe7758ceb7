// node:test: whatever goes wrong on the way, in the end there is what there should be. Chaos finds the way that was forgotten.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeRuntime } from "k8s-cri-client/testing";

/** The code under test: one step towards the wanted pods. To be repeated until it succeeds. */
async function reconcile(cri, wanted) {
  const present = await cri.pods.list({ labels: { owner: "me" } });
  for (const { id, metadata } of present) if (!wanted.includes(metadata.name)) await cri.pods.remove(id);
  for (const name of wanted) {
    if (present.some(({ metadata }) => metadata.name === name)) continue;
    await cri.pods.run({ name, uid: name, labels: { owner: "me" } });
  }
}

async function reconcileUntilDone(cri, wanted) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await reconcile(cri, wanted);
    } catch (error) {
      if (attempt === 50) throw error;
    }
  }
}

test("the wanted pods are there in the end, each once", async (t) => {
  const runtime = await FakeRuntime.start();
  t.after(() => runtime.stop());
  const cri = await runtime.connect();
  t.after(() => cri.close());
  const chaos = runtime.startChaos({ seed: process.env.CHAOS_SEED, rate: 0.3 });
  t.diagnostic(`to see the same again: CHAOS_SEED=${chaos.seed}`);

  for (const wanted of [["a", "b", "c"], ["b", "d"], []]) {
    await reconcileUntilDone(cri, wanted);
    assert.deepEqual(runtime.pods.map(({ metadata }) => metadata.name).sort(), wanted);
  }
});
