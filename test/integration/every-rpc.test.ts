import { expect, test } from "vitest";
import { callPolicies, type Rpc } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

test("the client's methods reach every RPC of CRI v1", async () => {
  const { runtime, cri } = await startFake({ implemented: "all" });
  await cri.version();
  await cri.status();
  await cri.runtimeConfig();
  await cri.updateRuntimeConfig({});
  const pod = await cri.pods.run({ name: "p", cgroupParent: "/p" });
  await pod.status();
  await pod.updateResources({ resources: { limits: { memory: "1Gi" } } });
  await cri.pods.get(pod).portForwardUrl([80]);
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "other:1" });
  await container.status();
  await container.updateResources({ resources: { limits: { memory: "1Gi" } } });
  await container.reopenLog();
  await container.execSync(["true"]);
  await cri.containers.get(container).execUrl(["sh"]);
  await cri.containers.get(container).attachUrl();
  await container.checkpoint({ outputPath: "/tmp/c.tar" });
  await cri.pods.get(pod).checkpoint({ outputPath: "/tmp/p.tar" });
  await cri.pods.restore({ name: "q", cgroupParent: "/q" }, { checkpointPath: "/tmp/p.tar" });
  await container.stats();
  await pod.stats();
  await cri.stats.metricDescriptors();
  const waiting = rejection(container.wait({ timeoutMs: 200 }));
  await runtime.nextCall("GetContainerEvents");
  await waiting;
  await cri.images.fsInfo();
  // The streaming lists, and then the unary lists that replace them.
  const lists = () =>
    Promise.all([
      cri.pods.list(),
      cri.containers.list(),
      cri.images.list(),
      cri.stats.containers(),
      cri.stats.pods(),
      cri.stats.podMetrics(),
    ]);
  await lists();
  for (const rpc of [
    "StreamPodSandboxes",
    "StreamContainers",
    "StreamImages",
    "StreamContainerStats",
    "StreamPodSandboxStats",
    "StreamPodSandboxMetrics",
  ] as const) {
    runtime.failNext(rpc, { code: "UNIMPLEMENTED" });
  }
  await lists();
  await container.stop({ gracePeriodSeconds: 0 });
  await container.remove();
  await pod.stop();
  await pod.remove();
  await cri.images.remove("other:1");

  const seen = new Set(runtime.calls.map(({ rpc }) => rpc as string));
  const missing = (Object.keys(callPolicies) as Rpc[]).filter((rpc) => !seen.has(rpc.split("/")[1] as string));
  expect(missing).toEqual([]);
  expect(Object.keys(callPolicies)).toHaveLength(43);
});
