import { describe, expect, test } from "vitest";
import { type CriClient, CriError } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const single = { defaults: { retry: false } } as const;

/** Makes some calls, one after the other. Returns their outcomes. */
async function journey(cri: CriClient): Promise<string[]> {
  const outcomes: string[] = [];
  for (let round = 0; round < 12; round++) {
    for (const call of [() => cri.version(), () => cri.status(), () => cri.images.pull(`x:${round}`)]) {
      await call().then(
        () => outcomes.push("OK"),
        (error) => outcomes.push(CriError.is(error) ? error.code : String(error)),
      );
    }
  }
  return outcomes;
}

describe("chaos", () => {
  test("repeats with the same seed", async () => {
    const runs = [];
    for (const seed of ["x", "x", "y"]) {
      const { runtime, cri } = await startFake({}, single);
      await using chaos = runtime.startChaos({ seed, rate: 0.4, maxDelayMs: 5 });
      runs.push({ outcomes: await journey(cri), faults: [...chaos.faults] });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
    expect(new Set(runs[0]?.faults.map(({ kind }) => kind))).toEqual(new Set(["fail", "delay", "drop"]));
  });

  test("records its faults in each call, and a failure names the seed", async () => {
    const { runtime, cri } = await startFake({}, single);
    const chaos = runtime.startChaos({ rate: 1, kinds: ["fail"], codes: ["ABORTED"], rpcs: ["Version"] });
    const error = await rejection(cri.version());
    expect(String(error)).toContain(`ABORTED by chaos with seed ${chaos.seed} (Version 1)`);
    const fault = { kind: "fail", phase: "beforeEffect", origin: "chaos", code: "ABORTED" };
    expect(runtime.calls.map(({ rpc, faults }) => ({ rpc, faults }))).toEqual([{ rpc: "Version", faults: [fault] }]);
    expect(chaos.faults).toEqual([{ rpc: "Version", ordinal: 1, ...fault }]);
    await cri.status();
    expect(runtime.calls[1]?.faults).toEqual([]);
  });

  test("does not replace a requested fault", async () => {
    const { runtime, cri } = await startFake({}, single);
    runtime.startChaos({ rate: 1, kinds: ["drop"] });
    runtime.failNext("Version", { code: "ABORTED", message: "asked for" });
    expect(await rejection(cri.version())).toMatchObject({ code: "ABORTED", details: "asked for" });
    expect(await rejection(cri.version())).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("ends with its scope, and only one is active at a time", async () => {
    const { runtime, cri } = await startFake({}, single);
    {
      using chaos = runtime.startChaos({ rate: 1, kinds: ["fail"] });
      await rejection(cri.version());
      expect(() => runtime.startChaos()).toThrow(/chaos is already active/);
      expect(chaos.active).toBe(true);
    }
    await cri.version();
    await using _ = runtime.startChaos({ rate: 0 });
    await cri.version();
  });

  test("hangs for a limited time, even past the deadline", async () => {
    const { runtime, cri } = await startFake({}, single);
    const chaos = runtime.startChaos({ rate: 1, kinds: ["hang"], maxHangMs: 80, seed: "long enough" });
    expect(await cri.version()).toMatchObject({ runtimeName: "containerd" });
    const { ms = 0 } = chaos.faults[0] ?? {};
    expect(ms).toBeGreaterThan(5);
    const [call] = runtime.calls;
    expect(Number(call?.endedAt) - Number(call?.startedAt)).toBeGreaterThanOrEqual(ms - 2);
    await chaos.stop();
    runtime.startChaos({ rate: 1, kinds: ["hang"], maxHangMs: 60_000, seed: "long enough" });
    expect(await rejection(cri.version({ timeoutMs: 30 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

describe("restarts by chaos", () => {
  test("keep the runtime down for a while, and keep its state", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "stays" });
    await using chaos = runtime.startChaos({ rate: 0.3, kinds: ["restart"], maxDownMs: 5, seed: 3 });
    const versions = Array.from({ length: 20 }, () => cri.version({ retry: { maxAttempts: 20 } }));
    for (const { runtimeName } of await Promise.all(versions)) expect(runtimeName).toBe("containerd");
    expect(chaos.faults.length).toBeGreaterThan(2);
    await chaos.stop();
    expect((await cri.pods.list()).map(({ id }) => id)).toEqual([pod.id]);
    const dropped = runtime.calls.filter(({ outcome }) => outcome === "DROPPED");
    expect(dropped.map(({ faults }) => faults[0]?.kind)).toEqual(dropped.map(() => "restart"));
  });

  test("end as soon as the chaos is stopped", async () => {
    const { runtime, cri } = await startFake();
    const chaos = runtime.startChaos({ rate: 1, kinds: ["restart"], maxDownMs: 10 ** 9, seed: 1 });
    expect(chaos.faults).toEqual([]);
    await rejection(cri.version({ retry: false }));
    expect(chaos.faults[0]?.ms).toBeGreaterThan(60_000);
    expect(await rejection(cri.version({ retry: false }))).toMatchObject({ code: "UNAVAILABLE" });
    await chaos.stop();
    await cri.version({ retry: { maxAttempts: 20 } });
  });

  test("do not start a runtime that was stopped", async () => {
    const runtime = await FakeRuntime.start();
    const cri = await runtime.connect();
    runtime.startChaos({ rate: 1, kinds: ["restart"], maxDownMs: 10 ** 9, seed: 1 });
    await rejection(cri.version({ retry: false }));
    await runtime.stop();
    expect(await rejection(cri.version({ retry: false }))).toMatchObject({ code: "UNAVAILABLE" });
    expect(runtime.connectionCount).toBe(0);
    await cri.close();
  });
});

/** Lists the errors of a scope that failed and whose disposal failed as well. */
function causesOf(reason: unknown): unknown[] {
  if ((reason as Error).name !== "SuppressedError") return [reason];
  const { error, suppressed } = reason as { error: unknown; suppressed: unknown };
  return [...causesOf(error), ...causesOf(suppressed)];
}

test("pods created and removed during chaos leave nothing behind", async () => {
  const { runtime, cri } = await startFake();
  const chaos = runtime.startChaos({
    seed: 11,
    rate: 0.25,
    kinds: ["fail", "delay", "drop", "restart"],
    maxDelayMs: 5,
  });
  const lifecycles = Array.from({ length: 10 }, async (_, index) => {
    await using pod = await cri.pods.run({ name: `p${index}`, uid: `u${index}` });
    await using container = await pod.runContainer({ name: "main", image: "busybox:1" });
    await container.execSync(["true"]);
  });
  const settled = await Promise.allSettled(lifecycles);
  const failures = settled.flatMap((life) => (life.status === "rejected" ? causesOf(life.reason) : []));
  expect(failures.filter((failure) => !CriError.is(failure))).toEqual([]);
  expect(chaos.faults.length).toBeGreaterThan(10);
  await chaos.stop();
  // Disposals that failed because of chaos left pods, which can be removed after it.
  for (const { id } of await cri.pods.list()) await cri.pods.get(id).remove();
  expect({ pods: runtime.pods, containers: runtime.containers }).toEqual({ pods: [], containers: [] });
});
