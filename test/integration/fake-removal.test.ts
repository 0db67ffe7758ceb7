import { describe, expect, test } from "vitest";
import { ContainerState, PodSandboxState } from "../../src/proto.js";
import type { RpcName } from "../../src/testing/index.js";
import { podConfig, runPod, start, startContainer } from "./fake-support.js";

/** Options of a fake whose containers ignore every signal but SIGKILL. */
const ignoreSignals = { time: "virtual", run: () => ({ onSignal: () => "ignore" as const }) } as const;

describe("a process that ignores SIGTERM", () => {
  test.each(["containerd-1.6", "containerd-1.7", "containerd-2"] as const)(
    "is killed at once when its pod is stopped or its container is removed: %s",
    async (flavor) => {
      const connected = await start({ flavor, ...ignoreSignals });
      const podSandboxId = await runPod(connected);
      await startContainer(connected, podSandboxId, "one");
      const containerId = await startContainer(connected, podSandboxId, "two");
      await connected.runtime.removeContainer({ containerId });
      await connected.runtime.stopPodSandbox({ podSandboxId });
      expect(connected.fake.pods[0]?.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
      await connected.runtime.removePodSandbox({ podSandboxId });
      expect(connected.fake.containers).toEqual([]);
    },
  );

  test("outlives its stopped pod on Docker, and is killed when the pod is removed", async () => {
    const connected = await start({ flavor: "cri-dockerd", ...ignoreSignals, strict: false });
    const { fake, runtime } = connected;
    const podSandboxId = await runPod(connected);
    await startContainer(connected, podSandboxId);
    await runtime.stopPodSandbox({ podSandboxId });
    expect(fake.pods[0]?.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
    expect(fake.containers[0]?.state).toBe(ContainerState.CONTAINER_RUNNING);
    await runtime.removePodSandbox({ podSandboxId });
    expect(fake.containers).toEqual([]);
  });

  test.each([
    ["stopPodSandbox", "StopPodSandbox"],
    ["removePodSandbox", "RemovePodSandbox"],
    ["removeContainer", "RemoveContainer"],
  ] as const)("is killed shortly before the deadline of %s on CRI-O", async (method, rpc) => {
    const connected = await start({ flavor: "cri-o", ...ignoreSignals });
    const { fake } = connected;
    const podSandboxId = await runPod(connected);
    const containerId = await startContainer(connected, podSandboxId);
    await using cri = await fake.connect();
    const arrived = fake.nextCall<RpcName>(rpc);
    const removing = cri.raw.runtime[method]({ podSandboxId, containerId }, { timeoutMs: 30_900 });
    const call = await arrived;
    await fake.advanceTime(25_000);
    expect(call.outcome).toBeUndefined();
    await fake.advanceTime(5_000);
    await removing;
    expect(call.outcome).toBe("OK");
  });

  test("is killed after ten seconds on CRI-O if the call has no deadline", async () => {
    const connected = await start({ flavor: "cri-o", ...ignoreSignals });
    const { fake, runtime } = connected;
    const podSandboxId = await runPod(connected);
    await startContainer(connected, podSandboxId);
    const arrived = fake.nextCall("StopPodSandbox");
    const stopping = runtime.stopPodSandbox({ podSandboxId });
    await arrived;
    await fake.advanceTime(10_000);
    await stopping;
  });

  test("is killed by StopContainer after its grace period on CRI-O, and the pod then stops at once", async () => {
    const connected = await start({ flavor: "cri-o", ...ignoreSignals });
    const { fake, runtime } = connected;
    const podSandboxId = await runPod(connected);
    const containerId = await startContainer(connected, podSandboxId);
    const arrived = fake.nextCall("StopContainer");
    const stopping = runtime.stopContainer({ containerId, timeout: 2 });
    await arrived;
    await fake.advanceTime(2_000);
    await stopping;
    await runtime.stopPodSandbox({ podSandboxId });
    expect(fake.pods[0]?.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  });
});

describe("the configuration in the verbose status of a pod", () => {
  const config = {
    ...podConfig("web"),
    hostname: "web-host",
    portMappings: [{ containerPort: 80, hostPort: 8080 }],
    linux: { cgroupParent: "/pods", securityContext: { runAsUser: { value: 1000 } } },
  };

  test.each([
    ["containerd-1.6", /"run_as_user":\{"value":1000\}/],
    ["containerd-1.7", /"run_as_user":\{"value":1000\}/],
    ["containerd-2", /"run_as_user":\{"value":1000\}/],
    ["cri-o", /"io\.kubernetes\.cri-o\.CgroupParent":"\/pods"/],
    ["cri-dockerd", undefined],
  ] as const)("%s", async (flavor, expected) => {
    const { runtime } = await start({ flavor });
    const { podSandboxId } = await runtime.runPodSandbox({ config });
    const { info } = await runtime.podSandboxStatus({ podSandboxId, verbose: true });
    if (!expected) return expect(info).toEqual({});
    expect(info.info).toMatch(expected);
    if (flavor === "cri-o") expect(info.info).not.toMatch(/run_?as_?user/i);
  });
});
