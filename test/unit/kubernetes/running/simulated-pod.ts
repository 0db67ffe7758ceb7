import type { ContainerPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import {
  nextAttemptOf,
  type ObservedContainer,
  type ObservedPod,
} from "../../../../src/kubernetes/running/observed-pod.js";
import { podActions } from "../../../../src/kubernetes/running/pod-actions.js";
import type { PodActions, PodSituation } from "../../../../src/kubernetes/running/pod-situation.js";
import type { ProbeState } from "../../../../src/kubernetes/running/probe-states.js";

/** A container of which only the kind, the restart policy and the probes matter. */
export function planned(name: string, fields: Partial<ContainerPlan> = {}): ContainerPlan {
  return { name, kind: "main", restartPolicy: "Always", restartPolicyRules: [], ...fields } as ContainerPlan;
}

/** A pod at a runtime that exists only in memory. Every step takes one millisecond. */
export class SimulatedPod {
  readonly plan: PodSituation["plan"];
  readonly probes = new Map<string, ProbeState>();
  #sandboxes: { id: string; attempt: number; ready: boolean; createdAt: number }[] = [];
  #containers: ObservedContainer[] = [];
  #now = 1_000;

  constructor(containers: readonly ContainerPlan[], restartPolicy: "Always" | "OnFailure" | "Never" = "Always") {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web" },
      spec: { containers: [], restartPolicy },
    } as const;
    this.plan = { containers, pod, hostNetwork: true };
  }

  get observed(): ObservedPod {
    const latest = <T extends { createdAt: number }>(all: readonly T[]) =>
      [...all].sort((a, b) => b.createdAt - a.createdAt);
    return {
      sandboxes: latest(this.#sandboxes).map((one) => ({ ...one, podIPs: [], annotations: {} })),
      containers: latest(this.#containers),
    };
  }

  get running(): ObservedContainer[] {
    return this.#containers.filter(({ state }) => state === "running");
  }

  actions(): PodActions {
    const of = (id: string) => this.probes.get(id) ?? { startup: undefined, liveness: true, readiness: false };
    return podActions({ plan: this.plan, observed: this.observed, probes: { of } });
  }

  /** Does what the actions say. Calls back before each start. */
  perform({ stopPod, createSandbox, sandboxId, stop, start }: PodActions, onStart = (_: ContainerPlan) => {}): void {
    if (stopPod) {
      for (const one of this.running) this.exit(one.name, 137);
      this.loseSandbox();
    }
    if (createSandbox) {
      const { attempt } = createSandbox;
      this.#sandboxes.push({ id: `sandbox${attempt}`, attempt, ready: true, createdAt: this.#tick() });
    }
    for (const { container } of stop) this.exit(container.name, 137);
    for (const container of start) {
      onStart(container);
      const attempt = nextAttemptOf(this.observed, container.name);
      const time = this.#tick();
      this.#containers.push({
        ...{ id: `${container.name}${attempt}`, name: container.name, attempt, sandboxId: sandboxId ?? "" },
        ...{ state: "running", createdAt: time, startedAt: time, finishedAt: 0, exitCode: 0 },
        ...{ reason: "", message: "", image: "", imageId: "", logPath: "" },
      });
    }
  }

  /** Performs actions until there are none. Returns what was started, stopped or created, in order. */
  settle(): string[] {
    const done: string[] = [];
    for (let round = 0; round < 50; round++) {
      const actions = this.actions();
      const { stopPod, createSandbox, stop, start } = actions;
      if (stopPod && !createSandbox) return [...done, "finished"];
      if (!createSandbox && stop.length === 0 && start.length === 0) return done;
      if (createSandbox) done.push(`sandbox ${createSandbox.attempt}`);
      done.push(...stop.map(({ container, reason }) => `stop ${container.name}: ${reason}`));
      this.perform(actions, ({ name }) => done.push(`start ${name}`));
    }
    throw new Error(`does not settle: ${done.join(", ")}`);
  }

  exit(name: string, exitCode: number, reason = "", message = ""): void {
    this.#change(name, { state: "exited", exitCode, reason, message, finishedAt: this.#tick() });
  }

  setState(name: string, state: ObservedContainer["state"]): void {
    this.#change(name, { state });
  }

  probe(name: string, state: Partial<ProbeState>): void {
    const [latest] = this.running.filter((one) => one.name === name);
    if (latest) this.probes.set(latest.id, { startup: true, liveness: true, readiness: true, ...state });
  }

  loseSandbox(): void {
    this.#sandboxes = this.#sandboxes.map((one) => ({ ...one, ready: false }));
  }

  #change(name: string, change: Partial<ObservedContainer>): void {
    this.#containers = this.#containers.map((one) =>
      one.name === name && one.state === "running" ? { ...one, ...change } : one,
    );
  }

  #tick(): number {
    return ++this.#now;
  }
}
