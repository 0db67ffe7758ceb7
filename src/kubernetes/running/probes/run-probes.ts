import type { ProbeManifest } from "../../manifest/container.js";
import type { ProbeKind, ProbeResult, ProbeTarget } from "./probe.js";
import { type Clock, systemClock } from "./probe-clock.js";
import { runProbe } from "./run-probe.js";

/**
 * Runs the probes of one attempt of a container until the signal aborts, as a kubelet does: the startup probe until it passes,
 * then the liveness and readiness probes. Resolves when no probe is left to run or the signal aborted. Never rejects.
 *
 * @param onResult gets each result. After a startup or liveness probe reached its failure threshold, that probe does not run
 *   again: the container has to be stopped.
 */
export async function runProbes(
  target: ProbeTarget,
  onResult: (result: ProbeResult) => void,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = target.container;
  const run = (kind: ProbeKind, probe: ProbeManifest | undefined) =>
    probe === undefined ? true : repeatProbe(kind, probe, { target, onResult, signal, clock });
  try {
    if (!(await run("startup", startupProbe))) return;
    await Promise.all([run("liveness", livenessProbe), run("readiness", readinessProbe)]);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface Run {
  target: ProbeTarget;
  onResult: (result: ProbeResult) => void;
  signal: AbortSignal;
  clock: Clock;
}

/** Repeats a probe. Returns whether it passes, once its state is final. Rejects with the signal's reason. */
async function repeatProbe(
  kind: ProbeKind,
  probe: ProbeManifest,
  { target, onResult, signal, clock }: Run,
): Promise<boolean> {
  const thresholds = { passing: probe.successThreshold ?? 1, failing: probe.failureThreshold ?? 3 };
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let passing = kind === "liveness";
  let inARow = 0;
  let last: boolean | undefined;
  let longestMs = (probe.initialDelaySeconds ?? 0) * 1000;
  let due = target.startedAt.getTime() + longestMs;
  for (;;) {
    // The clock may be set back: a pause never takes longer than planned.
    await clock.sleep(Math.min(Math.max(0, due - clock.now()), longestMs), signal);
    longestMs = periodMs;
    const once = () => runProbe(probe, target, signal);
    const result = await (target.publish?.(kind, once) ?? once());
    const success = result.outcome === "success" || result.outcome === "warning";
    let changed = false;
    if (result.outcome !== "error") {
      inARow = success === last ? inARow + 1 : 1;
      last = success;
      const reached = inARow >= (success ? thresholds.passing : thresholds.failing);
      // A failed startup or liveness probe is reported even if the container never passed it.
      changed = reached && (success !== passing || (!success && kind !== "readiness"));
      if (reached) passing = success;
    }
    onResult({ ...result, kind, changed, passing });
    if (changed && !success && kind !== "readiness") return false;
    if (passing && kind === "startup") return true;
    // Skips periods that passed during a slow probe.
    const now = clock.now();
    due = Math.max(due + periodMs, now - ((now - due) % periodMs));
    if (due < now) due += periodMs;
  }
}
