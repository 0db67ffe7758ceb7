import { readMark } from "../../src/resources/creation/creation-mark.js";
import type { FakeRuntime, RecordedCall, RpcName } from "../../src/testing/index.js";
import type { Fault } from "./faults.js";
import type { Operation } from "./operation.js";

/** A pod or container that the runtime has had. */
export interface TrackedObject {
  readonly kind: "pod" | "container";
  readonly id: string;
  /** The operation that created it, by its creation mark. */
  readonly creator: Operation | undefined;
  readonly mark: string;
  /** Name, namespace, uid and attempt of a pod; pod, name and attempt of a container. */
  readonly identity: string;
  readonly podId: string | undefined;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  present: boolean;
}

/** An event that may prevent the client's work, other than a fault in the creation itself. */
export interface Disturbance {
  readonly at: number;
  readonly description: string;
  /** The operation whose call was affected. Undefined if all were affected. */
  readonly operation: Operation | undefined;
}

/**
 * Tracks the objects that exist and the calls that took effect, as the server sees them. The objects are updated whenever a call
 * arrives and whenever an operation settles. No object is created and removed between two updates, because the removal is a call.
 */
export class ServerTruth {
  readonly objects = new Map<string, TrackedObject>();
  readonly disturbances: Disturbance[] = [];
  /** Number of executions of the command of an operation. */
  readonly executions = new Map<number, number>();
  /** Number of starts of a container's process. */
  readonly starts = new Map<string, number>();
  readonly #faults = new WeakMap<object, Fault[]>();
  readonly #creators = new Map<string, Operation>();

  constructor(
    private readonly runtime: FakeRuntime,
    private readonly reportViolation: (message: string) => void,
  ) {}

  /** Records which operation a creation belongs to, by its mark. */
  recordCreator(record: RecordedCall, operation: Operation): void {
    const { config } = record.request as { config?: { annotations: Record<string, string> } };
    const mark = config && readMark(config)?.nonce;
    if (mark === undefined) return;
    this.#creators.set(mark, operation);
    operation.marks.add(mark);
  }

  recordFault(request: object, fault: Fault): void {
    this.#faults.set(request, [...(this.#faults.get(request) ?? []), fault]);
  }

  faultsOn(record: RecordedCall): readonly Fault[] {
    return this.#faults.get(record.request) ?? [];
  }

  /** Updates the objects from the runtime, and checks that no two have the same identity. */
  update(): void {
    const now = performance.now();
    const present = new Set<string>();
    for (const pod of this.runtime.pods) {
      const { name, namespace, uid, attempt } = pod.metadata ?? { name: "", namespace: "", uid: "", attempt: 0 };
      present.add(pod.id);
      this.#see("pod", pod, `pod ${namespace}/${name} ${uid} ${attempt}`, undefined, now);
    }
    for (const container of this.runtime.containers) {
      const { name, attempt } = container.metadata ?? { name: "", attempt: 0 };
      present.add(container.id);
      const identity = `container ${name} ${attempt} in ${container.podSandboxId}`;
      this.#see("container", container, identity, container.podSandboxId, now);
    }
    for (const object of this.objects.values()) object.present = present.has(object.id);
    this.#checkUnique();
  }

  exists(id: string): boolean {
    return this.objects.get(id)?.present ?? false;
  }

  createdBy(operation: Operation): TrackedObject[] {
    return [...this.objects.values()].filter((object) => object.creator === operation);
  }

  /** Lists the disturbances that affected an operation while it ran. */
  disturbancesOf(operation: Operation): Disturbance[] {
    const until = operation.settledAt ?? Infinity;
    return this.disturbances.filter(
      (disturbance) =>
        disturbance.at >= operation.startedAt &&
        disturbance.at <= until &&
        (disturbance.operation === undefined || disturbance.operation === operation),
    );
  }

  /**
   * Returns whether a call took effect. A call that failed after its work counts as a call that took effect. An interrupted call
   * counts as one that did not, because its error never claims that the call had no effect.
   */
  tookEffect(record: RecordedCall): boolean {
    if (record.outcome === "OK") return true;
    return this.faultsOn(record).some((fault) => {
      if (fault.phase !== "afterEffect") return false;
      if (fault.kind === "drop") return record.outcome === "DROPPED";
      if (fault.kind === "fail") return record.message === fault.message;
      const interrupted =
        record.outcome === undefined || record.outcome === "CANCELLED" || record.outcome === "DEADLINE_EXCEEDED";
      return interrupted && !interruptible.has(record.rpc);
    });
  }

  #see(
    kind: TrackedObject["kind"],
    { id, annotations }: { id: string; annotations: Record<string, string> },
    identity: string,
    podId: string | undefined,
    now: number,
  ): void {
    const known = this.objects.get(id);
    if (known) {
      known.lastSeenAt = now;
      return;
    }
    const mark = readMark({ annotations })?.nonce ?? "";
    const creator = this.#creators.get(mark);
    this.objects.set(id, {
      kind,
      id,
      creator,
      mark,
      identity,
      podId,
      firstSeenAt: now,
      lastSeenAt: now,
      present: true,
    });
    if (!creator) this.reportViolation(`${kind} ${id} has a mark that belongs to no operation: ${mark}`);
  }

  /** Checks that no two objects have the same identity or come from the same operation. */
  #checkUnique(): void {
    const seen = new Map<string, TrackedObject>();
    for (const object of this.objects.values()) {
      if (!object.present) continue;
      for (const key of [object.identity, object.mark]) {
        const other = seen.get(key);
        if (other)
          this.reportViolation(`${object.kind} ${other.id} and ${object.id} both exist for ${key} (${object.creator})`);
        seen.set(key, object);
      }
    }
  }
}

/** RPCs that can be interrupted during their work. */
const interruptible = new Set<RpcName>(["RunPodSandbox", "CreateContainer", "PullImage", "ExecSync", "StopContainer"]);
