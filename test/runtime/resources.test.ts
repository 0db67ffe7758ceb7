/** CPU and memory limits after creation and update, read from the kernel. */
import { readFile } from "node:fs/promises";
import { CriError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { expectCode } from "./helpers/expectations.js";
import { enforcedLimits, outputOf } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

const MiB = 2 ** 20;

journeys("resources", (fixture) => {
  const { cri } = fixture;

  test("sets the limits and requests of a container in its control group", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      resources: { requests: { cpu: "250m" }, limits: { cpu: "500m", memory: "64Mi" }, cpusetCpus: "0" },
    });
    expect(await enforcedLimits(container)).toEqual({
      memoryBytes: String(64 * MiB),
      cpuShares: "256",
      cpuQuota: "50000",
      cpus: "0",
    });
    const { resources } = await container.status();
    // containerd reports resources in ContainerStatus since 1.7.
    if (resources?.linux) expect(resources.linux.memoryLimitInBytes.toNumber()).toBe(64 * MiB);
  });

  test("sets oomScoreAdj", async () => {
    const own = Number(await readFile("/proc/self/oom_score_adj", "utf8"));
    await using container = await fixture.container(await fixture.sharedPod(), { resources: { oomScoreAdj: 500 } });
    expect(await outputOf(container, "cat /proc/1/oom_score_adj")).toBe(String(Math.max(500, own)));
  });

  test("an update changes only the given fields of a running or created container", async () => {
    const resources = { requests: { cpu: "250m" }, limits: { cpu: "500m", memory: "64Mi" } };
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod, { resources });
    await container.updateResources({ resources: { limits: { memory: "96Mi" } } });
    expect(await enforcedLimits(container)).toMatchObject({
      memoryBytes: String(96 * MiB),
      cpuShares: "256",
      cpuQuota: "50000",
    });
    await container.updateResources({ resources: { limits: { cpu: 1 } } });
    expect(await enforcedLimits(container)).toMatchObject({
      memoryBytes: String(96 * MiB),
      cpuShares: "1024",
      cpuQuota: "100000",
    });
    await cri.containers.get(container.id).updateResources({ resources: { cpusetCpus: "0" } });
    expect((await enforcedLimits(container)).cpus).toBe("0");

    await using created = await pod.createContainer(fixture.containerSpec({ resources }));
    await created.updateResources({ resources: { limits: { memory: "80Mi" } } });
    await created.start();
    expect(await enforcedLimits(created)).toMatchObject({ memoryBytes: String(80 * MiB), cpuQuota: "50000" });
  });

  test("containerd accepts and ignores an update of an exited container", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { command: ["/bin/true"] });
    await container.wait();
    const update = container.updateResources({ resources: { limits: { cpu: 1 } } });
    if (fixture.runtime.lab) await update;
    else await update.catch((error: unknown) => expect(CriError.is(error)).toBe(true));
  });

  test("updating the resources of a pod fails with UNIMPLEMENTED on runtimes before Kubernetes 1.33", async () => {
    await using pod = await fixture.hostNetworkPod();
    const { updatePodResources } = await cri.capabilities();
    const update = pod.updateResources({ resources: { limits: { memory: "128Mi" } } });
    if (updatePodResources) await update;
    else expect(await expectCode(update, "UNIMPLEMENTED")).toMatchObject({ mayHaveTakenEffect: false, attempts: 1 });
  });

  test("wait() reports OOMKilled for a process that exceeds its memory limit", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      command: sh("sleep 0.2; exec head -c 200m /dev/zero | tail > /dev/null"),
      resources: { limits: { memory: "24Mi" }, memoryAndSwapLimit: "24Mi" },
    });
    const exit = await container.wait({ timeoutMs: 60_000 });
    expect(exit).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
  });
});
