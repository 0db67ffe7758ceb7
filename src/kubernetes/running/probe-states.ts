import type { ProbeKind, ProbeResult } from "./probes/probe.js";

/** What the probes of one attempt of a container found. */
export interface ProbeState {
  /** `undefined` until the probe reached a threshold. */
  readonly startup: boolean | undefined;
  readonly liveness: boolean;
  readonly readiness: boolean;
}

const initial: ProbeState = { startup: undefined, liveness: true, readiness: false };

/** The states of all probes, by container id. */
export class ProbeStates {
  readonly #states = new Map<string, ProbeState>();

  /** Records a result. Returns whether the state changed. */
  record(containerId: string, { kind, changed, passing }: Pick<ProbeResult, "kind" | "changed" | "passing">): boolean {
    if (!changed) return false;
    this.#states.set(containerId, { ...this.of(containerId), [kind satisfies ProbeKind]: passing });
    return true;
  }

  of(containerId: string): ProbeState {
    return this.#states.get(containerId) ?? initial;
  }

  /** Forgets the containers that no longer exist. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const id of this.#states.keys()) if (!containerIds.has(id)) this.#states.delete(id);
  }
}
