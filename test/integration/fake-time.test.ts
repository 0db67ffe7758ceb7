import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Container, CriClient, PodSandbox } from "../../src/index.js";
import { type ContainerEventResponse, ContainerState } from "../../src/proto.js";
import { FakeRuntime, type FakeRuntimeOptions } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

/** Starts a fake with virtual time, and a pod. */
async function startVirtual(options: FakeRuntimeOptions = {}, logDirectory?: string) {
  const started = await startFake({ time: "virtual", ...options });
  return { ...started, pod: await started.cri.pods.run({ name: "p", logDirectory }) };
}

const run = (pod: PodSandbox, name = "main", command: string[] = []): Promise<Container> =>
  pod.runContainer({ name, image: "busybox:1", command });

/** Returns how long a container has run, in milliseconds of virtual time. */
async function runTime(container: Container): Promise<number> {
  const { startedAt, finishedAt } = await container.status();
  return finishedAt.subtract(startedAt).toNumber() / 1e6;
}

const stateOf = async (container: Container) => ContainerState[(await container.status()).state];

/** Longer than any test here takes, and shorter than with real time. */
const maxElapsedMs = 10_000;

describe("virtual time", () => {
  test("a grace period of 30 seconds passes at once", async () => {
    const { runtime, pod } = await startVirtual({ run: () => ({ onSignal: () => "ignore" }) });
    const container = await run(pod);
    const started = performance.now();
    const stopping = container.stop({ gracePeriodSeconds: 30 });
    await runtime.nextCall("StopContainer");
    await runtime.advanceTime(29_999);
    expect(await stateOf(container)).toBe("CONTAINER_RUNNING");
    await runtime.advanceTime(1);
    await stopping;
    expect(performance.now() - started).toBeLessThan(maxElapsedMs);
    expect(await container.status()).toMatchObject({ exitCode: 137 });
    expect(Math.round(await runTime(container))).toBe(30_000);
  });

  test("ends containers at their time, in order", async () => {
    const ended: string[] = [];
    const { runtime, pod } = await startVirtual({
      run: ({ config, clock }) => {
        const name = config.metadata?.name ?? "";
        if (name === "program") {
          const program = async () => {
            await clock.sleep(45 * 60_000);
            ended.push(name);
            return 3;
          };
          return { program };
        }
        const exitCode = name === "hour" ? undefined : 4;
        return exitCode && { exitCode, afterMs: 30 * 60_000 };
      },
    });
    const hour = await run(pod, "hour", ["sleep", "1h"]);
    const program = await run(pod, "program");
    const script = await run(pod, "script");
    await runtime.advanceTime(29 * 60_000);
    expect(await Promise.all([hour, program, script].map(stateOf))).toEqual(Array(3).fill("CONTAINER_RUNNING"));
    await runtime.advanceTime(60 * 60_000);
    const statuses = await Promise.all([script, program, hour].map((container) => container.status()));
    expect(statuses.map(({ exitCode }) => exitCode)).toEqual([4, 3, 0]);
    expect(await Promise.all([script, program, hour].map(runTime))).toEqual(
      [30, 45, 60].map((minutes) => expect.closeTo(minutes * 60_000, 0)),
    );
    expect(ended).toEqual(["program"]);
  });

  test("a program that ends at once needs no advance of the time", async () => {
    const { pod } = await startVirtual();
    const container = await run(pod, "main", ["false"]);
    await expect.poll(() => stateOf(container)).toBe("CONTAINER_EXITED");
  });

  test("runs commands and their timeouts", async () => {
    const { runtime, pod } = await startVirtual();
    const container = await run(pod);
    const finished = container.execSync(["sh", "-c", "sleep 5; echo done"]);
    await runtime.nextCall("ExecSync");
    await runtime.advanceTime(5_000);
    expect((await finished).stdout).toBe("done\n");
    const killed = rejection(container.execSync(["sleep", "1h"], { commandTimeoutSeconds: 60 }));
    await runtime.nextCall("ExecSync");
    await runtime.advanceTime(60_000);
    expect(await killed).toMatchObject({ code: "COMMAND_TIMED_OUT" });
  });

  test("runs commands in sessions", async () => {
    let begin = () => {};
    const started = new Promise<void>((resolve) => (begin = resolve));
    const { runtime, pod } = await startVirtual({
      exec: ({ clock }) => {
        return async ({ stdout }) => {
          stdout.write("started ");
          begin();
          await clock.sleep(3_600_000);
          stdout.write("done");
          return 0;
        };
      },
    });
    await using session = await (await run(pod)).exec(["work"]);
    const output = text(session.stdout);
    await started;
    await runtime.advanceTime(3_600_000);
    expect(await output).toBe("started done");
    expect((await session.exit).exitCode).toBe(0);
  });

  test("runs the delays of faults; deadlines stay real", async () => {
    const { runtime, cri } = await startVirtual();
    runtime.delayNext("Version", 60_000, { times: 2 });
    const answer = cri.version();
    await runtime.nextCall("Version");
    await runtime.advanceTime(60_000);
    expect(await answer).toMatchObject({ runtimeName: "containerd" });
    expect(await rejection(cri.version({ timeoutMs: 30 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });

    runtime.slowNext("Version", { chunkBytes: 1, everyMs: 60_000 });
    const slow = cri.version();
    await runtime.nextCall("Version");
    await runtime.advanceTime(3_600_000);
    expect(await slow).toMatchObject({ runtimeName: "containerd" });
  });

  test("determines figures of usage", async () => {
    const { runtime, pod } = await startVirtual();
    const container = await run(pod);
    const cpuSeconds = async () => {
      const { cpu } = await container.stats();
      return { used: Number(cpu?.usageCoreNanoSeconds?.value) / 1e9, cores: Number(cpu?.usageNanoCores?.value) / 1e9 };
    };
    await runtime.advanceTime(1_000);
    const before = await cpuSeconds();
    expect(before.cores).toBeGreaterThan(0);
    await runtime.advanceTime(1_000_000);
    const after = await cpuSeconds();
    expect(after.used - before.used).toBeCloseTo(1_000 * before.cores, 2);
  });

  test("is used in events and logs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cri-time-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { runtime, cri, pod } = await startVirtual(
      {
        run: ({ clock }) => ({
          program: async ({ stdout }) => {
            for (const line of ["one", "two"]) {
              stdout.write(`${line}\n`);
              await clock.sleep(86_400_000);
            }
            return 0;
          },
        }),
      },
      folder,
    );
    const events = readEvents(cri);
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    const container = await run(pod);
    await runtime.advanceTime(2 * 86_400_000);
    const timestamps: string[] = [];
    for await (const { timestamp } of container.logs()) timestamps.push(String(timestamp));
    const [one, two] = timestamps.map((timestamp) => Date.parse(timestamp));
    expect(Math.round(((two as number) - (one as number)) / 1_000)).toBe(86_400);
    const last = (await events(3)).map(({ createdAt }) => createdAt.toNumber() / 1e6);
    expect(Math.round(((last[2] as number) - (last[1] as number)) / 1_000)).toBe(2 * 86_400);
    expect(Math.abs((await container.status()).finishedAt.toNumber() / 1e6 - (last[2] as number))).toBeLessThan(1);
  });

  test("continues when the runtime loses its state", async () => {
    const { runtime, cri } = await startVirtual();
    await runtime.advanceTime(3_600_000);
    await runtime.restart({ keepState: false });
    const pod = await cri.pods.run({ name: "later" });
    expect((await pod.status()).createdAt.toNumber() / 1e6 - Date.now()).toBeGreaterThan(3_000_000);
  });

  test("leaves no timers when the runtime stops", async () => {
    const { runtime, cri, pod } = await startVirtual({ run: () => ({ onSignal: () => "ignore" }) });
    const container = await run(pod);
    runtime.delayNext("Version", 60_000);
    runtime.hangNext("Status");
    const waiting = [
      cri.version({ retry: false }),
      cri.status({ retry: false }),
      container.execSync(["sleep", "99"]),
      container.stop({ gracePeriodSeconds: 99, retry: false }),
    ].map(rejection);
    await expect.poll(() => runtime.calls.filter(({ outcome }) => outcome === undefined)).toHaveLength(4);
    await runtime.stop();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: "UNAVAILABLE" });
    await runtime.advanceTime(100_000);
    await expect.poll(() => runtime.calls.filter(({ outcome }) => outcome === undefined)).toEqual([]);
  });

  test("must be requested", async () => {
    const { runtime } = await startFake();
    expect(await rejection(runtime.advanceTime(1))).toMatchObject({ code: "INVALID_INPUT", field: "time" });
    const virtual = await startVirtual();
    expect(await rejection(virtual.runtime.advanceTime(Infinity))).toMatchObject({ field: "ms" });
    expect(await rejection(FakeRuntime.start({ time: "fast" as "real" }))).toMatchObject({ field: "time" });
  });
});

/** Subscribes to the runtime's events. The returned function waits for a number of them. */
function readEvents(cri: CriClient): (count: number) => Promise<ContainerEventResponse[]> {
  const events: ContainerEventResponse[] = [];
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  void (async () => {
    for await (const event of cri.raw.runtime.getContainerEvents({}, { signal: controller.signal })) events.push(event);
  })().catch(() => {});
  return async (count) => {
    await expect.poll(() => events.length).toBeGreaterThanOrEqual(count);
    return events.slice(-count);
  };
}
