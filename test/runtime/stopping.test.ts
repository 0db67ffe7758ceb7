/** Stopping and removing pods and containers whose processes ignore SIGTERM. */
import { ContainerState, PodSandboxState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { journeys, sh } from "./helpers/journeys.js";

/** Time limit of each test: far above the grace periods in the tests, and far below the deadline of a call. */
const timeoutMs = 20_000;

journeys("stopping", (fixture) => {
  const { cri } = fixture;

  /** Runs a pod with three containers that ignore SIGTERM. */
  async function unresponsivePod(terminationGracePeriodSeconds?: number) {
    const pod = await fixture.hostNetworkPod({ terminationGracePeriodSeconds });
    const command = sh("trap '' TERM; while :; do sleep 1; done");
    const spec = () => fixture.containerSpec({ command, terminationGracePeriodSeconds: undefined });
    const containers = await Promise.all([1, 2, 3].map(() => pod.runContainer(spec())));
    return { pod, containers };
  }

  test(
    "stops a pod with three containers within the grace period",
    async () => {
      const { pod, containers } = await unresponsivePod();
      await cri.pods.get(pod.id).stop({ gracePeriodSeconds: 1 });
      expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
      for (const { state, exitCode } of await Promise.all(containers.map((container) => container.status()))) {
        expect({ state, exitCode }).toEqual({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
      }
      await cri.pods.remove(pod.id);
    },
    timeoutMs,
  );

  test(
    "removes a running pod and its containers at once",
    async () => {
      const { pod } = await unresponsivePod();
      await cri.pods.remove(pod.id);
      expect(await cri.containers.list({ pod: pod.id })).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "disposal gives containers the grace period of their pod",
    async () => {
      const { pod } = await unresponsivePod(1);
      await pod[Symbol.asyncDispose]();
      expect(await cri.pods.list({ id: pod.id })).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "removes a running container at once",
    async () => {
      const pod = await fixture.sharedPod();
      const container = await fixture.container(pod);
      await cri.containers.remove(container.id);
      expect(await cri.containers.list({ id: container.id })).toEqual([]);
    },
    timeoutMs,
  );
});
