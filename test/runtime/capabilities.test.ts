/** What each version can do, and what calling the rest comes to. */
import { expect, test } from "vitest";
import { criFailureOf, expectCode } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

/** As seen on these versions. */
const known: Record<string, object> = {
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

  test("what the runtime says it can do is what it does, and the rest is UNIMPLEMENTED", async () => {
    const can = await cri.capabilities();
    expect(can.runtimeVersion).toContain(runtime.version);
    expect(can.runtimeApiVersion).toBe("v1");
    if (runtime.lab) expect(can).toMatchObject({ runtimeName: runtime.runtimeName, ...known[runtime.name] });

    const settle = async (supported: boolean, call: () => Promise<unknown>) => {
      if (supported) return call();
      expect(await expectCode(call(), "UNIMPLEMENTED")).toMatchObject({ attempts: 1, mayHaveTakenEffect: false });
      return undefined;
    };
    const config = (await settle(can.runtimeConfig, () => cri.runtimeConfig())) as { linux?: object } | undefined;
    // systemd on CRI-O, unless it is configured otherwise; the lab's containerds use cgroupfs.
    const cgroupDriver = runtime.runtimeName === "cri-o" ? 0 : 1;
    if (config && runtime.lab) expect(config.linux).toMatchObject({ cgroupDriver });
    await settle(can.podMetrics, () => cri.stats.podMetrics());
    await settle(can.podMetrics, () => cri.stats.metricDescriptors());
    if (!can.checkpointPod) {
      const pod = await fixture.sharedPod();
      await settle(false, () => cri.pods.checkpoint(pod, { outputPath: "/nonexistent" }));
      await settle(false, () => cri.pods.restore(fixture.podSpec(), { checkpointPath: "/nonexistent" }));
    }
    // Lists work whether they can be streamed or not.
    await cri.pods.list();
    await cri.containers.list();
    await cri.images.list();
    await cri.stats.containers();
  });

  test("handlers and features, where the runtime tells", async () => {
    const { runtimeHandlers } = await cri.capabilities();
    if (runtime.lab && /^(containerd-2|cri-o)/.test(runtime.name)) {
      expect(runtimeHandlers.map(({ name }) => name)).toEqual(expect.arrayContaining(["", ...runtime.lab.handlers]));
    } else if (runtime.lab) {
      expect(runtimeHandlers).toEqual([]);
    }
  });

  test("a streaming list that the runtime lacks is asked for once only", async () => {
    const calls: string[] = [];
    await using client = fixture.client({ logger: { debug: (message) => void calls.push(message) } });
    for (const _ of [1, 2, 3]) await client.containers.list();
    const streamed = calls.filter((call) => call.startsWith("RuntimeService/StreamContainers"));
    const { streamingLists } = await cri.capabilities();
    expect(streamed).toHaveLength(streamingLists ? 3 : 1);
  });

  test("the pod CIDR of the node is taken note of", async () => {
    await cri.updateRuntimeConfig({ networkConfig: { podCidr: "" } });
  });

  test("a checkpoint without CRIU on the node fails, and the error says why", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const failure = await criFailureOf(container.checkpoint({ outputPath: "/tmp/never-written.tar" }));
    if ((await cri.capabilities()).checkpointContainer)
      expect(failure.message).toMatch(/criu|checkpoint\/restore support/i);
    else expect(failure.code).toBe("UNIMPLEMENTED");
    expect((await container.execSync(["true"])).exitCode).toBe(0);
  });
});
