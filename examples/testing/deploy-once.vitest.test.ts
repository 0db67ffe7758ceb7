// vitest: the runtime's reply is lost. Does our code create the pod twice, or leak it?
import { type CriClient, CriError } from "k8s-cri-client";
import { FakeRuntime } from "k8s-cri-client/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

/** The code under test: runs an app on this node once, even if called several times. */
async function deployOnce(cri: CriClient, app: string, image: string): Promise<string> {
  const [running] = await cri.pods.list({ labels: { app }, state: "ready" });
  if (running) return running.id;
  await using pod = await cri.pods.run({ name: app, uid: app, labels: { app } });
  (await pod.runContainer({ name: "main", image })).release();
  return pod.release().id; // complete, so keep it
}

let runtime: FakeRuntime;
let cri: CriClient;
beforeEach(async () => {
  runtime = await FakeRuntime.start({ registry: { "missing:*": "missing" } });
  cri = await runtime.connect();
});
afterEach(async () => {
  await cri.close();
  await runtime.stop();
});

test.each(["RunPodSandbox", "CreateContainer"] as const)("creates one pod if the reply of %s is lost", async (rpc) => {
  runtime.dropNext(rpc, "afterEffect");
  const id = await deployOnce(cri, "web", "nginx:1.27");
  expect(await deployOnce(cri, "web", "nginx:1.27")).toBe(id);
  expect(runtime.pods.map((pod) => pod.id)).toEqual([id]);
  expect(runtime.callsOf(rpc)).toHaveLength(1);
});

test("leaves nothing if the image does not exist", async () => {
  const error = await deployOnce(cri, "web", "missing:1").catch((reason) => reason);
  expect(CriError.is(error, "NOT_FOUND")).toBe(true);
  expect(runtime.pods).toEqual([]);
});
