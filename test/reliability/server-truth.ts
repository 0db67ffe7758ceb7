import { readMark } from "../../src/resources/creation/creation-mark.js";
import type { FakeRuntime, RecordedCall, RpcName } from "../../src/testing/index.js";
import type { Fault } from "./faults.js";
import type { Operation } from "./operation.js";

/** A pod or container that the runtime had at some time. */
export interface Thing {
  readonly kind: "pod" | "container";
  readonly id: string;
  /** Whose work it is, by the mark that it carries. */
  readonly maker: Operation | undefined;
  readonly mark: string;
  /** Name, namespace, uid and attempt; for a container its pod, name and attempt. */
  readonly identity: string;
  readonly podId: string | undefined;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  present: boolean;
}

/** Something that keeps the client from doing what it is meant to do, other than the fault of a creation itself. */
export interface Trouble {
  readonly at: number;
  readonly what: string;
  /** The operation whose call was struck; undefined if all are concerned. */
  readonly operation: Operation | undefined;
}

/**
 * What is really there and what has really happened, as the server knows it: everything is looked at whenever a call arrives and
 * whenever an operation settles. Nothing is made and removed between two looks, since a removal is a call that names what was made.
 */
export class ServerTruth {
  readonly things = new Map<string, Thing>();
  readonly troubles: Trouble[] = [];
  /** How often the command of an operation was run in a container. */
  readonly executions = new Map<number, number>();
  /** How often the process of a container was started. */
  readonly starts = new Map<string, number>();
  readonly #strikes = new WeakMap<object, Fault[]>();
  readonly #makers = new Map<string, Operation>();

  constructor(
    private readonly runtime: FakeRuntime,
    private readonly violate: (message: string) => void,
  ) {}

  /** A call that makes something has arrived: its mark tells whose work that will be. */
  noteMaker(record: RecordedCall, operation: Operation): void {
    const { config } = record.request as { config?: { annotations: Record<string, string> } };
    const mark = config && readMark(config)?.nonce;
    if (mark === undefined) return;
    this.#makers.set(mark, operation);
    operation.marks.add(mark);
  }

  struck(request: object, fault: Fault): void {
    this.#strikes.set(request, [...(this.#strikes.get(request) ?? []), fault]);
  }

  strikesOn(record: RecordedCall): readonly Fault[] {
    return this.#strikes.get(record.request) ?? [];
  }

  /** Takes down what is there now, and that nothing is there twice. */
  look(): void {
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
    for (const thing of this.things.values()) thing.present = present.has(thing.id);
    this.#demandSingles();
  }

  has(id: string): boolean {
    return this.things.get(id)?.present ?? false;
  }

  madeBy(operation: Operation): Thing[] {
    return [...this.things.values()].filter((thing) => thing.maker === operation);
  }

  /** What was in the way of an operation while it was under way. */
  troublesOf(operation: Operation): Trouble[] {
    const until = operation.settledAt ?? Infinity;
    return this.troubles.filter(
      (trouble) =>
        trouble.at >= operation.startedAt &&
        trouble.at <= until &&
        (trouble.operation === undefined || trouble.operation === operation),
    );
  }

  /**
   * Whether a call took effect. A call that only failed after its work was done did; one that was cut off in the middle counts
   * as not: its caller cannot know, and no error says that nothing happened.
   */
  tookEffect(record: RecordedCall): boolean {
    if (record.outcome === "OK") return true;
    return this.strikesOn(record).some((fault) => {
      if (fault.phase !== "afterEffect") return false;
      if (fault.kind === "drop") return record.outcome === "DROPPED";
      if (fault.kind === "fail") return record.message === fault.message;
      const cutOff =
        record.outcome === undefined || record.outcome === "CANCELLED" || record.outcome === "DEADLINE_EXCEEDED";
      return cutOff && !midway.has(record.rpc);
    });
  }

  #see(
    kind: Thing["kind"],
    { id, annotations }: { id: string; annotations: Record<string, string> },
    identity: string,
    podId: string | undefined,
    now: number,
  ): void {
    const known = this.things.get(id);
    if (known) {
      known.lastSeenAt = now;
      return;
    }
    const mark = readMark({ annotations })?.nonce ?? "";
    const maker = this.#makers.get(mark);
    this.things.set(id, { kind, id, maker, mark, identity, podId, firstSeenAt: now, lastSeenAt: now, present: true });
    if (!maker) this.violate(`${kind} ${id} carries the mark of no operation: ${mark}`);
  }

  /** Never two for one identity, and never two of one operation. */
  #demandSingles(): void {
    const seen = new Map<string, Thing>();
    for (const thing of this.things.values()) {
      if (!thing.present) continue;
      for (const key of [thing.identity, thing.mark]) {
        const other = seen.get(key);
        if (other) this.violate(`${thing.kind} ${other.id} and ${thing.id} are both there for ${key} (${thing.maker})`);
        seen.set(key, thing);
      }
    }
  }
}

/** RPCs that may be cut off in the middle. */
const midway = new Set<RpcName>(["RunPodSandbox", "CreateContainer", "PullImage", "ExecSync", "StopContainer"]);
