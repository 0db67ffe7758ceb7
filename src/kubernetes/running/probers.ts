import { type LinkedAbort, linkAbort, NoLongerNeeded } from "../../internal/abort.js";
import { inWorkflow } from "../../tracing/workflow.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";
import type { ObservedContainer, ObservedPod } from "./observed-pod.js";
import { podSubject } from "./pod-subject.js";
import { type ProbeState, ProbeStates } from "./probe-states.js";
import type { ProbeOutcome, ProbeResult, ProbeTarget } from "./probes/probe.js";
import { runProbes } from "./probes/run-probes.js";
import { type PodContext, probeTarget } from "./runner-context.js";

/** Runs the probes of all running containers of a pod, and keeps what they found. */
export class Probers {
  readonly #context: PodContext;
  readonly #plan: Pick<PodPlanParts, "pod" | "uid" | "containers">;
  readonly #changed: () => void;
  readonly #states = new ProbeStates();
  /** The running probes, by container id. */
  readonly #running = new Map<string, LinkedAbort>();

  /** @param changed is called when a probe has reached a threshold */
  constructor(context: PodContext, plan: Pick<PodPlanParts, "pod" | "uid" | "containers">, changed: () => void) {
    this.#context = context;
    this.#plan = plan;
    this.#changed = changed;
  }

  /** Returns what the probes of a container found. */
  of(containerId: string): ProbeState {
    return this.#states.of(containerId);
  }

  /** Starts the probes of containers that run, and stops those of others. */
  sync(observed: ObservedPod, podIPs: readonly string[]): void {
    const alive = observed.containers.filter(({ state }) => state === "running");
    for (const id of [...this.#running.keys()]) if (!alive.some((one) => one.id === id)) this.stop(id);
    this.#states.keepOnly(new Set(observed.containers.map(({ id }) => id)));
    for (const one of alive) {
      const container = this.#plan.containers.find(({ name }) => name === one.name);
      if (!container || container.kind === "init" || this.#running.has(one.id)) continue;
      if (!(container.startupProbe || container.livenessProbe || container.readinessProbe)) continue;
      const link = linkAbort();
      this.#running.set(one.id, link);
      const target = this.#published(one, probeTarget(this.#context, container, one, podIPs));
      const onResult = (result: ProbeResult) => {
        if (!link.signal.aborted) this.#record(one.id, one.name, result);
      };
      void runProbes(target, onResult, link.signal, this.#context.clock);
    }
  }

  /** Stops the probes of a container, which is about to be stopped. */
  stop(containerId: string): void {
    this.#running.get(containerId)?.abort(new NoLongerNeeded("The container is being stopped."));
    this.#running.delete(containerId);
  }

  stopAll(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  /** Makes each run of a probe a step of its own for listeners. Otherwise all would be parts of the step that started the probes. */
  #published({ id, name, sandboxId }: ObservedContainer, target: ProbeTarget): ProbeTarget {
    const { connection } = this.#context.client;
    const subject = { ...podSubject(this.#plan), containerId: id, containerName: name, podSandboxId: sandboxId };
    return {
      ...target,
      publish: (kind, probe) => {
        const step = { name: `runningPod.${kind}Probe`, subject, failure: failureOf, inBackground: true };
        return inWorkflow(connection, step, probe);
      },
    };
  }

  #record(id: string, name: string, result: ProbeResult): void {
    const { kind, outcome, message } = result;
    const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe`;
    if (outcome === "failure") this.#context.emit("Unhealthy", `${title} failed: ${message}`, name);
    if (outcome === "error")
      this.#context.emit("Unhealthy", `${title} errored and resulted in unknown state: ${message}`, name);
    if (outcome === "warning") this.#context.emit("ProbeWarning", `${title} warning: ${message}`, name);
    if (this.#states.record(id, result)) this.#changed();
  }
}

function failureOf({ outcome }: ProbeOutcome): string | undefined {
  if (outcome === "failure") return "PROBE_FAILED";
  return outcome === "error" ? "PROBE_ERROR" : undefined;
}
