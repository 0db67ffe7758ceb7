import { describe, expect, test } from "vitest";
import { CriError, NameReservedError, type PodSandbox } from "../../src/index.js";
import { ContainerState } from "../../src/proto.js";
import { OwnedPodSandbox } from "../../src/resources/pod.js";
import type { RpcName } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

describe("pods.run", () => {
  test("returns an owning handle that removes the pod at the end of its scope", async () => {
    const { runtime, cri } = await startFake();
    {
      await using pod = await cri.pods.run({ name: "demo", labels: { app: "x" } });
      expect(pod).toBeInstanceOf(OwnedPodSandbox);
      expect(await pod.status()).toMatchObject({ id: pod.id, metadata: { name: "demo", namespace: "default" } });
      expect(runtime.pods).toHaveLength(1);
    }
    expect(runtime.pods).toHaveLength(0);
  });

  test.each(["beforeEffect", "duringEffect", "afterEffect"] as const)(
    "a connection lost %s results in exactly one pod",
    async (phase) => {
      const { runtime, cri } = await startFake();
      runtime.dropNext("RunPodSandbox", phase);
      const pod = await cri.pods.run({ name: "demo" });
      expect(runtime.pods.map(({ id }) => id)).toEqual([pod.id]);
      expect(pod.adopted).toBe(false);
    },
  );

  test("finds the pod by a list if the reply has no id", async () => {
    const { runtime, cri } = await startFake();
    runtime.respondNext("RunPodSandbox", { podSandboxId: "" });
    const pod = await cri.pods.run({ name: "demo" });
    expect(runtime.pods.map(({ id }) => id)).toEqual([pod.id]);
  });

  test("a call that times out while the runtime continues leaves nothing, and the next call creates exactly one pod", async () => {
    const { runtime, cri } = await startFake();
    const spec = { name: "demo", uid: "one" };
    // Connects first, so that the time limit covers the call only.
    await cri.version();
    runtime.delayNext("RunPodSandbox", 2_000, { phase: "afterEffect" });
    // Long enough for the call to reach the runtime.
    expect(await rejection(cri.pods.run(spec, { timeoutMs: 1_000 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      mayHaveTakenEffect: true,
    });
    await cri.pods.run(spec);
    expect(runtime.pods).toHaveLength(1);
  });

  test("rejects an existing pod with the holder's id, or adopts it if it has the same spec", async () => {
    const { runtime, cri } = await startFake();
    const spec = { name: "demo", uid: "one", labels: { b: "2", a: "1" } };
    const first = await cri.pods.run(spec);
    const refused = await rejection(cri.pods.run(spec));
    expect(refused).toBeInstanceOf(NameReservedError);
    expect(refused).toMatchObject({ holderId: first.id });
    const second = await cri.pods.run({ ...spec, labels: { a: "1", b: "2" } }, { adopt: true });
    expect([second.id, second.adopted]).toEqual([first.id, true]);
    const other = await rejection(cri.pods.run({ ...spec, hostname: "other" }, { adopt: true }));
    expect(other).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    expect(runtime.pods).toHaveLength(1);
  });

  test.each(["containerd-2", "cri-o"] as const)(
    "exactly one of several parallel calls with one identity succeeds on %s",
    async (flavor) => {
      const { runtime, cri } = await startFake({ flavor });
      const pods = await Promise.allSettled([1, 2, 3].map(() => cri.pods.run({ name: "same", uid: "one" })));
      expect(pods.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
      expect(runtime.pods).toHaveLength(1);
      const pod = await cri.pods.run({ name: "p" });
      const spec = { name: "same", image: "busybox:1" };
      const results = await Promise.allSettled([
        cri.runContainerInSandbox(pod, spec),
        cri.runContainerInSandbox(pod, spec),
        cri.runContainerInSandbox(pod, spec, { timeoutMs: 5_000 }),
      ]);
      const winners = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(winners).toHaveLength(1);
      expect(runtime.containers.map(({ id }) => id)).toEqual([winners[0]?.id]);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toBeInstanceOf(NameReservedError);
      }
    },
  );

  test("an aborted call does not remove another caller's pod with the same spec", async () => {
    const { runtime, cri } = await startFake();
    const spec = { name: "demo", uid: "one" };
    const controller = new AbortController();
    runtime.hangNext("RunPodSandbox");
    const call = cri.pods.run(spec, { signal: controller.signal });
    await runtime.nextCall("RunPodSandbox");
    const other = await cri.pods.run(spec);
    controller.abort("enough");
    expect(await rejection(call)).toBe("enough");
    expect(runtime.pods.map(({ id }) => id)).toEqual([other.id]);
  });

  test("only the creator owns a pod on CRI-O, which returns the id of an existing pod", async () => {
    const { cri } = await startFake({ flavor: "cri-o" });
    const spec = { name: "demo", uid: "one" };
    const first = await cri.pods.run(spec);
    expect(await rejection(cri.pods.run(spec))).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    const adopted = await cri.pods.run(spec, { adopt: true });
    expect([adopted.id, adopted.adopted]).toEqual([first.id, true]);
    const container = await first.createContainer({ name: "c", image: "busybox:1" });
    expect(await rejection(first.createContainer({ name: "c", image: "busybox:1", env: { A: "b" } }))).toMatchObject({
      code: "NAME_RESERVED",
      holderId: container.id,
    });
  });

  test("the next creation succeeds while CRI-O is still busy with one of the same name", async () => {
    const { runtime, cri } = await startFake({ flavor: "cri-o" });
    const spec = { name: "demo", uid: "one" };
    await cri.version();
    runtime.delayNext("RunPodSandbox", 2_500, { phase: "duringEffect" });
    expect(await rejection(cri.pods.run(spec, { timeoutMs: 1_000 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await cri.pods.run(spec);
    expect(runtime.pods).toHaveLength(1);
  });

  test("closing the client during the lookup of a lost reply may leave a pod, which the next call finds", async () => {
    const { runtime, cri } = await startFake();
    const spec = { name: "demo", uid: "closed" };
    runtime.dropNext("RunPodSandbox", "afterEffect");
    runtime.hangNext("ListPodSandbox");
    const call = rejection(cri.pods.run(spec));
    await runtime.nextCall("ListPodSandbox");
    await cri.close();
    expect(await call).toMatchObject({ code: "CLIENT_CLOSED", mayHaveTakenEffect: true });
    const [created] = runtime.pods;
    await using next = await runtime.connect();
    expect((await next.pods.run(spec)).id).toBe(created?.id);
  });

  test("an aborted call leaves no pod", async () => {
    const { runtime, cri } = await startFake();
    const controller = new AbortController();
    runtime.delayNext("RunPodSandbox", 100, { phase: "afterEffect" });
    const call = cri.pods.run({ name: "demo" }, { signal: controller.signal });
    await runtime.nextCall("RunPodSandbox");
    setTimeout(() => controller.abort("enough"), 10);
    expect(await rejection(call)).toBe("enough");
    expect(runtime.pods).toHaveLength(0);
  });

  test("rejects with the runtime's error", async () => {
    const { runtime, cri } = await startFake();
    const error = await rejection(cri.pods.run({ name: "demo", runtimeHandler: "nope" }));
    expect(CriError.is(error)).toBe(true);
    expect(runtime.callsOf("RunPodSandbox")).toHaveLength(1);
  });

  test("invalid input never reaches the runtime", async () => {
    const { runtime, cri } = await startFake();
    expect(await rejection(cri.pods.run({ name: "" }))).toMatchObject({ code: "INVALID_INPUT", field: "spec.name" });
    expect(runtime.connectionCount).toBe(0);
  });
});

describe("ownership", () => {
  test("release() returns a borrowed handle and does not remove the pod", async () => {
    const { runtime, cri } = await startFake();
    let borrowed: PodSandbox;
    {
      await using pod = await cri.pods.run({ name: "demo" });
      borrowed = pod.release();
    }
    expect(borrowed).not.toBeInstanceOf(OwnedPodSandbox);
    expect(runtime.pods.map(({ id }) => id)).toEqual([borrowed.id]);
  });

  test("disposal runs once, succeeds for removed objects, and rejects with other errors", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { retry: false } });
    const pod = await cri.pods.run({ name: "demo" });
    await Promise.all([pod.dispose(), pod[Symbol.asyncDispose]()]);
    expect(runtime.callsOf("RemovePodSandbox")).toHaveLength(1);
    const removed = await cri.pods.run({ name: "removed" });
    await removed.remove();
    runtime.failNext("StopPodSandbox", { code: "NOT_FOUND" });
    await removed.dispose();
    const stuck = await cri.pods.run({ name: "stuck" });
    runtime.failNext("StopPodSandbox", { code: "UNKNOWN", message: "network plugin failed" });
    expect(String(await rejection(stuck.dispose()))).toContain("network plugin failed");
    await stuck.dispose();
    expect(runtime.pods).toEqual([]);
  });

  test("disposal waits for a runtime that restarts, unless the client has retry: false", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "demo" });
    const container = await pod.runContainer({ name: "c", image: "busybox:1" });
    const unretried = await cri.with({ retry: false }).pods.run({ name: "unretried" });
    await runtime.kill();
    expect(await rejection(unretried.dispose())).toMatchObject({ code: "UNAVAILABLE", attempts: 1 });
    // Longer than calls with the default retries wait.
    setTimeout(() => void runtime.restart(), 1_500);
    await container.dispose();
    await pod.dispose();
    await unretried.dispose();
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
  });

  test("rollback retries while the runtime is unavailable", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "demo" });
    runtime.failNext("StartContainer", { code: "UNKNOWN", message: "no such device" });
    runtime.failNext("RemoveContainer", { code: "UNAVAILABLE", times: 5 });
    const failure = await rejection(pod.runContainer({ name: "c", image: "busybox:1" }));
    expect(failure).toMatchObject({ details: "no such device", suppressed: [] });
    expect(runtime.containers).toEqual([]);
  });

  test("one time limit covers both steps of a disposal, and the lookup after NOT_FOUND", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "demo" });
    const container = await cri.runContainerInSandbox(pod, { name: "a", image: "busybox:1" });
    const other = await cri.pods.run({ name: "other" });
    const waitMs = 800;
    for (const rpc of ["StopContainer", "StopPodSandbox"] as const) runtime.delayNext(rpc, waitMs);
    const ofOther = ({ podSandboxId }: { podSandboxId: string }) => podSandboxId === other.id;
    runtime.delayNext("RemovePodSandbox", waitMs, { match: ofOther });
    runtime.failNext("RemovePodSandbox", { code: "NOT_FOUND", match: ofOther });
    const refused = rejection(other.remove({ timeoutMs: 60_000 }));
    await Promise.all([container.dispose(), pod.dispose(), refused]);
    expect(await refused).toMatchObject({ code: "NOT_FOUND" });
    const deadline = (rpc: RpcName, id: string) =>
      runtime
        .callsOf(rpc)
        .find(({ request }) => Object.values(request).includes(id))
        ?.deadline?.getTime() ?? Number.NaN;
    for (const [first, second, id] of [
      ["StopContainer", "RemoveContainer", container.id],
      ["StopPodSandbox", "RemovePodSandbox", pod.id],
      ["RemovePodSandbox", "PodSandboxStatus", other.id],
    ] as const) {
      expect(deadline(second, id) - deadline(first, id)).toBeLessThan(waitMs / 2);
    }
  });

  test("one time limit covers the removal of an image and the lookup after NOT_FOUND", async () => {
    const { runtime, cri } = await startFake();
    const waitMs = 800;
    runtime.delayNext("RemoveImage", waitMs);
    runtime.failNext("RemoveImage", { code: "NOT_FOUND" });
    expect(await rejection(cri.images.remove("busybox:1", { timeoutMs: 60_000 }))).toMatchObject({ code: "NOT_FOUND" });
    const [removal, lookup] = [runtime.callsOf("RemoveImage")[0], runtime.callsOf("ImageStatus").at(-1)];
    expect(Number(lookup?.deadline) - Number(removal?.deadline)).toBeLessThan(waitMs / 2);
  });

  test("stop() rejects if something other than the pod is not found", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "demo" });
    const message = `failed to destroy network for sandbox "${pod.id}": plugin failed (delete): ippool "default" not found`;
    for (const code of ["UNKNOWN", "NOT_FOUND"] as const) {
      runtime.failNext("StopPodSandbox", { code, message });
      expect(await rejection(pod.stop())).toMatchObject({ code });
    }
  });

  test("disposal ignores the caller's aborted signal and expired deadline", async () => {
    const { runtime, cri } = await startFake();
    const controller = new AbortController();
    const body = async () => {
      await using pod = await cri.pods.run({ name: "demo" }, { signal: controller.signal, timeoutMs: 1_000 });
      await using _container = await cri.runContainerInSandbox(
        pod,
        { name: "c", image: "busybox:1" },
        { signal: controller.signal },
      );
      controller.abort(new Error("stop"));
      controller.signal.throwIfAborted();
    };
    await expect(body()).rejects.toThrow("stop");
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
  });
});

describe("createContainerInSandbox", () => {
  test("pulls by policy, and sends the image reference of the spec", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    await cri.createContainerInSandbox(pod, { name: "a", image: "busybox:1" });
    expect(runtime.callsOf("PullImage")).toHaveLength(0);
    await cri.createContainerInSandbox(pod, { name: "b", image: "busybox:1" }, { pullPolicy: "always" });
    await cri.createContainerInSandbox(pod, { name: "c", image: "other:2" });
    expect(runtime.callsOf("PullImage").map(({ request }) => request.image?.image)).toEqual(["busybox:1", "other:2"]);
    const error = await rejection(
      cri.createContainerInSandbox(pod, { name: "d", image: "third:3" }, { pullPolicy: "never" }),
    );
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(String(error)).toMatch(/third:3.*never.*pull it first/);
    const image = runtime.callsOf("CreateContainer")[2]?.request.config?.image;
    expect(image?.userSpecifiedImage).toBe("other:2");
    expect(image?.image).toMatch(/^sha256:/);
  });

  test("sends userSpecifiedImage to CRI-O, which requires it", async () => {
    const { runtime, cri } = await startFake({ flavor: "cri-o" });
    const pod = await cri.pods.run({ name: "p" });
    await cri.runContainerInSandbox(pod, { name: "a", image: "busybox:1" });
    expect(runtime.containers).toHaveLength(1);
  });

  test("passes credentials to the pull only", async () => {
    const auth = { username: "me", password: "s3cret" };
    const { runtime, cri } = await startFake({ registry: { "registry.example/private/*": auth } });
    const pod = await cri.pods.run({ name: "p" });
    const spec = { name: "a", image: "registry.example/private/app:1" };
    const error = await rejection(cri.createContainerInSandbox(pod, spec));
    expect(error).toMatchObject({ name: "ImagePullError", image: spec.image, reason: "Unauthorized" });
    await cri.createContainerInSandbox(pod, spec, { auth });
    expect(runtime.callsOf("PullImage")[1]?.request.auth).toMatchObject(auth);
    const others = runtime.calls.filter(({ rpc }) => rpc !== "PullImage").map(({ request }) => ({ ...request }));
    expect(JSON.stringify(others)).not.toContain("s3cret");
  });

  test("checks the spec before it pulls the image", async () => {
    const { runtime, cri } = await startFake();
    const error = await rejection(
      cri.createContainerInSandbox("abc", {
        name: "a",
        image: "other:2",
        mounts: [{ hostPath: "x", containerPath: "/y" }],
      }),
    );
    expect(error).toMatchObject({ code: "INVALID_INPUT", field: "spec.mounts[0].hostPath" });
    expect(runtime.calls).toHaveLength(0);
  });

  test.each(["beforeEffect", "duringEffect", "afterEffect"] as const)(
    "a connection lost %s results in exactly one container",
    async (phase) => {
      const { runtime, cri } = await startFake();
      const pod = await cri.pods.run({ name: "p" });
      runtime.dropNext("CreateContainer", phase);
      const container = await cri.createContainerInSandbox(pod, { name: "a", image: "busybox:1" });
      expect(runtime.containers.map(({ id }) => id)).toEqual([container.id]);
    },
  );

  test("a start whose reply is lost succeeds if the container runs, and is repeated if it does not", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    runtime.dropNext("StartContainer", "afterEffect");
    await cri.runContainerInSandbox(pod, { name: "a", image: "busybox:1" });
    expect(runtime.callsOf("StartContainer")).toHaveLength(1);
    runtime.dropNext("StartContainer", "beforeEffect");
    await cri.runContainerInSandbox(pod, { name: "b", image: "busybox:1" });
    expect(runtime.callsOf("StartContainer")).toHaveLength(3);
  });

  test("closing the client during a start sets mayHaveTakenEffect", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.createContainerInSandbox(pod, { name: "a", image: "busybox:1" });
    runtime.hangNext("StartContainer", { phase: "afterEffect" });
    const arrived = runtime.nextCall("StartContainer");
    const call = rejection(container.start());
    await arrived;
    await cri.close();
    expect(await call).toMatchObject({ code: "CLIENT_CLOSED", mayHaveTakenEffect: true });
    expect(runtime.containers[0]?.state).toBe(ContainerState.CONTAINER_RUNNING);
  });

  test("rolls back a container that does not start, and attaches failures of the rollback", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { retry: false } });
    const pod = await cri.pods.run({ name: "p" });
    runtime.failNext("StartContainer", { code: "UNKNOWN", message: "no such executable" });
    const error = await rejection(cri.runContainerInSandbox(pod, { name: "a", image: "busybox:1" }));
    expect(String(error)).toContain("no such executable");
    expect(runtime.containers).toHaveLength(0);
    runtime.failNext("StartContainer", { code: "INVALID_ARGUMENT", message: "first" });
    runtime.failNext("RemoveContainer", { code: "UNKNOWN", message: "second" });
    const both = (await rejection(cri.runContainerInSandbox(pod, { name: "b", image: "busybox:1" }))) as CriError;
    expect(both.details).toBe("first");
    expect(both.mayHaveTakenEffect).toBe(true);
    expect(both.suppressed.map(String).join()).toContain("second");
    // The next creation with this name removes the remaining container.
    expect(runtime.containers.map(({ metadata }) => metadata?.name)).toEqual(["b"]);
    await using again = await cri.runContainerInSandbox(pod, { name: "b", image: "busybox:1" });
    expect(runtime.containers.map(({ id }) => id)).toEqual([again.id]);
  });

  test("works in a pod of another program, with the configuration of that pod", async () => {
    const { runtime, cri } = await startFake();
    const existing = await cri.pods.run({ name: "p", logDirectory: "/var/log/pods/p", dns: { servers: ["10.0.0.1"] } });
    const pod = cri.pods.get(existing.id.slice(0, 12));
    const container = await pod.runContainer({ name: "a", image: "busybox:1" });
    expect(runtime.callsOf("CreateContainer")[0]?.request.sandboxConfig).toMatchObject({
      logDirectory: "/var/log/pods/p",
      dnsConfig: { servers: ["10.0.0.1"] },
    });
    expect((await container.status()).logPath).toBe("/var/log/pods/p/a.0.log");
  });

  test("one time limit covers pull, creation and start", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    runtime.delayNext("PullImage", 10_000);
    const error = await rejection(cri.runContainerInSandbox(pod, { name: "a", image: "other:2" }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(runtime.callsOf("CreateContainer")).toHaveLength(0);
  });
});

describe("on Docker", () => {
  test("a creation does not replace a created container with the same name", async () => {
    const { runtime, cri } = await startFake({ flavor: "cri-dockerd" });
    const pod = await cri.pods.run({ name: "p" });
    const first = await pod.createContainer({ name: "c", image: "busybox:1" });
    const second = pod.createContainer({ name: "c", image: "busybox:1", env: { A: "b" } });
    expect(await rejection(second)).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    expect(runtime.containers.map(({ id }) => id)).toEqual([first.id]);
  });

  test("removes a pod whose creation fails", async () => {
    const { runtime, cri } = await startFake({ flavor: "cri-dockerd" });
    runtime.failNext("RunPodSandbox", { code: "UNKNOWN", message: "no network", phase: "afterEffect" });
    expect(await rejection(cri.pods.run({ name: "p" }))).toMatchObject({ code: "UNKNOWN" });
    expect(runtime.pods).toEqual([]);
  });
});
