import type { ContainerPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import type { ProbeTarget } from "../../../../src/kubernetes/running/probes/probe.js";
import type { Clock } from "../../../../src/kubernetes/running/probes/probe-clock.js";

/** A clock whose time passes only while something sleeps. */
export function manualClock(start = 0): Clock & { slept: number[] } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (delayMs, signal) => {
      await new Promise(setImmediate);
      signal.throwIfAborted();
      slept.push(delayMs);
      now += delayMs;
    },
  };
}

/** A container of which only the probes, the hooks and the ports matter. */
export function probed(fields: Partial<ContainerPlan>): ContainerPlan {
  return { name: "main", ports: {}, ...fields } as ContainerPlan;
}

/** A target whose commands are answered by a function. */
export function targetOf(container: ContainerPlan, exec: ProbeTarget["execSync"] = neverRuns): ProbeTarget {
  return { container, startedAt: new Date(0), podIPs: ["127.0.0.1"], execSync: exec };
}

const neverRuns: ProbeTarget["execSync"] = () => Promise.reject(new Error("no command was expected"));
