// node:test: random faults. The code must reach the wanted state in spite of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeRuntime } from "k8s-cri-client/testing";

/** The code under test: creates and removes pods to match the wanted ones. Callers retry until it succeeds. */
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

test("creates each wanted pod once in spite of faults", async (t) => {
  const runtime = await FakeRuntime.start();
  t.after(() => runtime.stop());
  const cri = await runtime.connect();
  t.after(() => cri.close());
  const chaos = runtime.startChaos({ seed: process.env.CHAOS_SEED, rate: 0.3 });
  t.diagnostic(`to repeat the same faults: CHAOS_SEED=${chaos.seed}`);

  for (const wanted of [["a", "b", "c"], ["b", "d"], []]) {
    await reconcileUntilDone(cri, wanted);
    assert.deepEqual(runtime.pods.map(({ metadata }) => metadata.name).sort(), wanted);
  }
});
