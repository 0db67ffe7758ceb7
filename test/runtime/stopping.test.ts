/** Stopping and removing pods and containers whose processes ignore SIGTERM. */
import { ContainerState, PodSandboxState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { journeys, sh } from "./helpers/journeys.js";

/** Far above the grace periods in here, and far below the deadline of a call. */
const inTime = 20_000;

journeys("stopping", (fixture) => {
  const { cri } = fixture;

  /** A pod of three containers that ignore SIGTERM. */
  async function stubbornPod(terminationGracePeriodSeconds?: number) {
    const pod = await fixture.hostNetworkPod({ terminationGracePeriodSeconds });
    const command = sh("trap '' TERM; while :; do sleep 1; done");
    const spec = () => fixture.containerSpec({ command, terminationGracePeriodSeconds: undefined });
    const containers = await Promise.all([1, 2, 3].map(() => pod.runContainer(spec())));
    return { pod, containers };
  }

  test(
    "a pod of three containers is stopped within the grace period, and removed",
    async () => {
      const { pod, containers } = await stubbornPod();
      await cri.pods.stop(pod.id, { gracePeriodSeconds: 1 });
      expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
      for (const { state, exitCode } of await Promise.all(containers.map((container) => container.status()))) {
        expect({ state, exitCode }).toEqual({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
      }
      await cri.pods.remove(pod.id);
    },
    inTime,
  );

  test(
    "a running pod is removed at once, with its containers",
    async () => {
      const { pod } = await stubbornPod();
      await cri.pods.remove(pod.id);
      expect(await cri.containers.list({ pod: pod.id })).toEqual([]);
    },
    inTime,
  );

  test(
    "disposal gives the containers the grace period of their pod",
    async () => {
      const { pod } = await stubbornPod(1);
      await pod[Symbol.asyncDispose]();
      expect(await cri.pods.list({ id: pod.id })).toEqual([]);
    },
    inTime,
  );

  test(
    "a running container is removed at once",
    async () => {
      const pod = await fixture.sharedPod();
      const container = await fixture.container(pod);
      await cri.containers.remove(container.id);
      expect(await cri.containers.list({ id: container.id })).toEqual([]);
    },
    inTime,
  );
});
