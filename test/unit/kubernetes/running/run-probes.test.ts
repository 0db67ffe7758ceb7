import { CriError } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import type { ProbeManifest } from "../../../../src/kubernetes/manifest/container.js";
import type { ContainerPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import type { ProbeResult } from "../../../../src/kubernetes/running/probes/probe.js";
import { runProbe } from "../../../../src/kubernetes/running/probes/run-probe.js";
import { runProbes } from "../../../../src/kubernetes/running/probes/run-probes.js";
import { manualClock, probed, targetOf } from "./support.js";

const exec = (...command: string[]): ProbeManifest => ({ exec: { command } });

/** Runs probes whose commands exit with the given codes, in order; stops after the last one. */
async function results(container: Partial<ContainerPlan>, exitCodes: readonly (number | Error)[]) {
  const clock = manualClock();
  const stop = new AbortController();
  const seen: (ProbeResult & { atMs: number })[] = [];
  const commands: string[] = [];
  let next = 0;
  const target = targetOf(probed(container), async (command, timeoutSeconds) => {
    commands.push(`${command.join(" ")} (${timeoutSeconds}s)`);
    const code = exitCodes[next++];
    if (next >= exitCodes.length) queueMicrotask(() => setImmediate(() => stop.abort(new Error("stopped"))));
    if (code === undefined) return new Promise(() => {});
    if (code instanceof Error) throw code;
    return { exitCode: code, output: code === 0 ? "" : `code ${code}` };
  });
  const onResult = (result: ProbeResult) => seen.push({ ...result, atMs: clock.now() });
  await runProbes(target, onResult, stop.signal, clock);
  return { seen, commands };
}

describe("thresholds", () => {
  test("a container becomes ready after successThreshold successes in a row, and unready after failureThreshold failures", async () => {
    const readinessProbe = { ...exec("ready"), successThreshold: 2, failureThreshold: 3, periodSeconds: 1 };
    const { seen } = await results({ readinessProbe }, [0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1]);
    expect(seen.slice(0, 11).map(({ passing }) => passing)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(seen.flatMap(({ changed }, index) => (changed ? [index] : []))).toEqual([3, 9]);
  });

  test("a liveness probe is passing until failureThreshold failures in a row, and then does not run again", async () => {
    const livenessProbe = { ...exec("alive"), failureThreshold: 2, periodSeconds: 1 };
    const { seen, commands } = await results({ livenessProbe }, [1, 0, 1, 1, 0, 0]);
    expect(seen.map(({ passing, changed }) => [passing, changed])).toEqual([
      [true, false],
      [true, false],
      [true, false],
      [false, true],
    ]);
    expect(commands).toHaveLength(4);
    expect(seen[3]).toMatchObject({ kind: "liveness", outcome: "failure", message: "code 1" });
  });

  test("the defaults are a period of 10 s, 1 s of time, 1 success and 3 failures", async () => {
    const { seen, commands } = await results({ livenessProbe: exec("alive") }, [1, 1, 1]);
    expect(seen.map(({ atMs, passing }) => [atMs, passing])).toEqual([
      [0, true],
      [10_000, true],
      [20_000, false],
    ]);
    expect(commands[0]).toBe("alive (1s)");
  });
});

describe("order", () => {
  test("liveness and readiness probes wait for the startup probe", async () => {
    const { commands } = await results(
      {
        startupProbe: { ...exec("start"), periodSeconds: 1 },
        livenessProbe: exec("alive"),
        readinessProbe: exec("ready"),
      },
      [1, 1, 0, 0, 0],
    );
    expect(commands.slice(0, 5).map((command) => command.split(" ")[0])).toEqual([
      "start",
      "start",
      "start",
      "alive",
      "ready",
    ]);
  });

  test("after the startup probe reached its threshold, no probe runs", async () => {
    const { seen, commands } = await results(
      { startupProbe: { ...exec("start"), failureThreshold: 2 }, livenessProbe: exec("alive") },
      [1, 1, 0],
    );
    expect(commands).toHaveLength(2);
    expect(seen.at(-1)).toMatchObject({ kind: "startup", changed: true, passing: false });
  });

  test("the first probe runs initialDelaySeconds after the start of the container", async () => {
    const { seen } = await results(
      { readinessProbe: { ...exec("ready"), initialDelaySeconds: 7, periodSeconds: 2 } },
      [0, 0],
    );
    expect(seen.map(({ atMs }) => atMs)).toEqual([7000, 9000]);
  });
});

describe("probes that cannot run", () => {
  test("are repeated at once, and count neither as success nor as failure", async () => {
    const broken = new Error("no such container");
    const readinessProbe = { ...exec("ready"), failureThreshold: 1, periodSeconds: 1 };
    const { seen, commands } = await results({ readinessProbe }, [0, broken, broken, broken, broken, 0, 0]);
    expect(seen.map(({ outcome, passing }) => [outcome, passing])).toEqual([
      ["success", true],
      ["error", true],
      ["success", true],
      ["success", true],
    ]);
    expect(seen[1]).toMatchObject({ message: "no such container", changed: false });
    expect(commands).toHaveLength(7);
  });

  test("a command that takes too long is a failure", async () => {
    const livenessProbe = { ...exec("sleep", "9"), timeoutSeconds: 2, failureThreshold: 1 };
    const timedOut = new CriError({ code: "COMMAND_TIMED_OUT", message: "the command took longer than 2 s" });
    const { seen } = await results({ livenessProbe }, [timedOut, 0]);
    expect(seen).toEqual([
      expect.objectContaining({ passing: false, message: 'command timed out: "sleep 9" timed out after 2s' }),
    ]);
  });

  test("a probe of an unknown port name says which name", async () => {
    const readinessProbe = { tcpSocket: { port: "web" } };
    const result = await runProbe(
      readinessProbe,
      targetOf(probed({ ports: { http: 80 } })),
      new AbortController().signal,
    );
    expect(result.outcome).toBe("error");
    expect(result.message).toContain('got "web"');
  });
});

test("a probe that takes longer than its period skips the periods that passed", async () => {
  const clock = manualClock();
  const stop = new AbortController();
  const starts: number[] = [];
  const target = targetOf(probed({ readinessProbe: { ...exec("ready"), periodSeconds: 1 } }), async () => {
    starts.push(clock.now());
    if (starts.length === 3) stop.abort();
    await clock.sleep(2500, new AbortController().signal);
    return { exitCode: 0, output: "" };
  });
  await runProbes(target, () => {}, stop.signal, clock);
  expect(starts).toEqual([0, 3000, 6000]);
});

test("long output of a command is shortened to 10 KiB", async () => {
  const target = targetOf(probed({}), async () => ({ exitCode: 1, output: "x".repeat(20_000) }));
  const result = await runProbe(exec("ready"), target, new AbortController().signal);
  expect(result.message).toHaveLength(10_240);
});

test("probes keep their period when the clock is set back", async () => {
  const clock = manualClock(10_000_000);
  const stop = new AbortController();
  let probes = 0;
  const target = targetOf(
    probed({ livenessProbe: { ...exec("alive"), initialDelaySeconds: 5, periodSeconds: 3 } }),
    () => {
      if (++probes === 3) stop.abort();
      return Promise.resolve({ exitCode: 0, output: "" });
    },
  );
  // The container started an hour later by a clock that has been set back since.
  await runProbes({ ...target, startedAt: new Date(13_600_000) }, () => {}, stop.signal, clock);
  expect(clock.slept).toEqual([5_000, 3_000, 3_000]);
});
