/** The RPCs that each runtime supports, and the errors of all others. */
import { expect, test } from "vitest";
import { criFailureOf, expectCode } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

/** The capabilities of each runtime, measured on these versions. */
const expected: Record<string, object> = {
  "containerd-1.6": {
    runtimeConfig: false,
    podMetrics: false,
    streamingLists: false,
    updatePodResources: false,
    checkpointPod: false,
  },
  "containerd-1.7": {
    runtimeConfig: false,
    podMetrics: false,
    streamingLists: false,
    updatePodResources: false,
    checkpointPod: false,
  },
  "containerd-2.1": {
    runtimeConfig: true,
    podMetrics: false,
    streamingLists: false,
    updatePodResources: false,
    checkpointPod: false,
  },
  "cri-o-1.37": {
    runtimeConfig: true,
    podMetrics: true,
    streamingLists: false,
    updatePodResources: true,
    checkpointPod: false,
  },
  "docker-26.1": {
    runtimeConfig: true,
    podMetrics: false,
    streamingLists: false,
    updatePodResources: false,
    checkpointPod: false,
  },
};

journeys("capabilities", (fixture) => {
  const { cri, runtime } = fixture;

  test("supported RPCs succeed, and all others fail with UNIMPLEMENTED", async () => {
    const capabilities = await cri.capabilities();
    expect(capabilities.runtimeVersion).toContain(runtime.version);
    expect(capabilities.runtimeApiVersion).toBe("v1");
    if (runtime.lab)
      expect(capabilities).toMatchObject({ runtimeName: runtime.runtimeName, ...expected[runtime.name] });

    const callIfSupported = async (supported: boolean, call: () => Promise<unknown>) => {
      if (supported) return call();
      expect(await expectCode(call(), "UNIMPLEMENTED")).toMatchObject({ attempts: 1, mayHaveTakenEffect: false });
      return undefined;
    };
    const config = (await callIfSupported(capabilities.runtimeConfig, () => cri.runtimeConfig())) as
      | { linux?: object }
      | undefined;
    // CRI-O uses systemd by default; containerd in the lab uses cgroupfs.
    const cgroupDriver = runtime.runtimeName === "cri-o" ? 0 : 1;
    if (config && runtime.lab) expect(config.linux).toMatchObject({ cgroupDriver });
    await callIfSupported(capabilities.podMetrics, () => cri.stats.podMetrics());
    await callIfSupported(capabilities.podMetrics, () => cri.stats.metricDescriptors());
    if (!capabilities.checkpointPod) {
      const pod = await fixture.sharedPod();
      await callIfSupported(false, () => cri.pods.get(pod).checkpoint({ outputPath: "/nonexistent" }));
      await callIfSupported(false, () => cri.pods.restore(fixture.podSpec(), { checkpointPath: "/nonexistent" }));
    }
    // Lists work with and without the streaming RPCs.
    await cri.pods.list();
    await cri.containers.list();
    await cri.images.list();
    await cri.stats.containers();
  });

  test("capabilities() lists the runtime handlers that the runtime reports", async () => {
    const { runtimeHandlers } = await cri.capabilities();
    if (runtime.lab && /^(containerd-2|cri-o)/.test(runtime.name)) {
      expect(runtimeHandlers.map(({ name }) => name)).toEqual(expect.arrayContaining(["", ...runtime.lab.handlers]));
    } else if (runtime.lab) {
      expect(runtimeHandlers).toEqual([]);
    }
  });

  test("calls a streaming list only once if the runtime does not implement it", async () => {
    const calls: string[] = [];
    await using client = fixture.client({ logger: { debug: (message) => void calls.push(message) } });
    for (const _ of [1, 2, 3]) await client.containers.list();
    const streamed = calls.filter((call) => call.startsWith("RuntimeService/StreamContainers"));
    const { streamingLists } = await cri.capabilities();
    expect(streamed).toHaveLength(streamingLists ? 3 : 1);
  });

  test("the runtime accepts the pod CIDR of the node", async () => {
    await cri.updateRuntimeConfig({ networkConfig: { podCidr: "" } });
  });

  test("the error of checkpoint() on a node without CRIU names the reason", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const failure = await criFailureOf(container.checkpoint({ outputPath: "/tmp/never-written.tar" }));
    if ((await cri.capabilities()).checkpointContainer)
      expect(failure.message).toMatch(/criu|checkpoint\/restore support/i);
    else expect(failure.code).toBe("UNIMPLEMENTED");
    expect((await container.execSync(["true"])).exitCode).toBe(0);
  });
});
