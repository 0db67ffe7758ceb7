import { InvalidInputError } from "../../errors.js";
import { checkRpcName, type RpcName, type RpcRequest } from "../rpcs.js";
import type { Chaos } from "./chaos.js";
import {
  type Fault,
  type FaultAction,
  type FaultKind,
  type FaultOptions,
  type FaultPhase,
  type InjectedFault,
  multiStepRpcs,
  type PendingFault,
  phasesOf,
} from "./fault.js";

/** The faults of one call, and which of them were injected. */
export class CallFaults {
  readonly injected: InjectedFault[] = [];

  constructor(private readonly faults: readonly Fault[]) {}

  /** Returns the faults of a phase, in order. */
  at(phase: FaultPhase): Fault[] {
    return this.faults.filter((fault) => fault.phase === phase);
  }

  /** Returns the action of the fault of this kind, if the call has one. */
  find<K extends FaultKind>(kind: K): Extract<FaultAction, { kind: K }> | undefined {
    return this.#of(kind)?.action as Extract<FaultAction, { kind: K }> | undefined;
  }

  /** Does the same as {@link find}, and records the fault as injected. */
  use<K extends FaultKind>(kind: K): Extract<FaultAction, { kind: K }> | undefined {
    const fault = this.#of(kind);
    if (fault) this.record(fault);
    return this.find(kind);
  }

  /** Records a fault as injected. */
  record({ phase, action, origin, onInjected }: Fault): void {
    const injected: InjectedFault = {
      kind: action.kind,
      phase,
      origin,
      ...("code" in action && { code: action.code }),
      ...("ms" in action && { ms: action.ms }),
    };
    this.injected.push(injected);
    onInjected?.(injected);
  }

  #of(kind: FaultKind): Fault | undefined {
    return this.faults.find(({ action }) => action.kind === kind);
  }
}

type AnyFaultOptions = Omit<FaultOptions, "match"> & { match?: ((request: never) => boolean) | undefined };

interface QueuedFault extends Fault {
  readonly rpc: RpcName | "*";
  readonly match: ((request: never) => boolean) | undefined;
  left: number;
}

/** A call can have one fault of each of these kinds, besides one of any other kind. */
const combinableKinds: readonly FaultKind[] = ["delay", "slow"];

/** The faults that a test requested, in order. */
export class FaultQueue {
  /** Chooses faults for calls without a requested one. */
  chaos: Chaos | undefined;
  readonly #faults: QueuedFault[] = [];

  add(rpc: RpcName | "*", action: FaultAction, options: AnyFaultOptions): void {
    const name = rpc === "*" ? rpc : checkRpcName(rpc);
    const phase = checkPhase(name, options.phase ?? "beforeEffect");
    const left = checkTimes(options.times ?? 1);
    this.#faults.push({ rpc: name, phase, action, origin: "test", match: options.match, left });
  }

  /** Takes the faults for a call from the queue: at most one delay, one slow reply and one of another kind. */
  take(rpc: RpcName, request: RpcRequest): CallFaults {
    const first = (matchesKind: (kind: FaultKind) => boolean) =>
      this.#faults.find(
        (fault) =>
          matchesKind(fault.action.kind) &&
          (fault.rpc === rpc || fault.rpc === "*") &&
          (fault.match?.(request as never) ?? true),
      );
    const taken = [
      ...combinableKinds.map((combinable) => first((kind) => kind === combinable)),
      first((kind) => !combinableKinds.includes(kind)),
    ].filter((fault) => fault !== undefined);
    for (const fault of taken) {
      fault.left--;
      if (fault.left <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    }
    // Called for every call, because chaos counts the calls.
    const random = this.chaos?.decide(rpc);
    return new CallFaults(taken.length === 0 && random ? [random] : taken);
  }

  get pending(): readonly PendingFault[] {
    return this.#faults.map(({ rpc, phase, action, left }) => ({ rpc, kind: action.kind, phase, times: left }));
  }

  clear(): void {
    this.#faults.length = 0;
  }
}

function checkPhase(rpc: RpcName | "*", phase: FaultPhase): FaultPhase {
  if (!["beforeEffect", "duringEffect", "afterEffect"].includes(phase)) {
    const message = "expected beforeEffect, duringEffect or afterEffect";
    throw new InvalidInputError({ field: "phase", message, value: phase });
  }
  if (rpc === "*" || phasesOf(rpc).includes(phase)) return phase;
  const message = `${rpc} has no phase duringEffect; only ${[...multiStepRpcs].join(", ")} and streams have it`;
  throw new InvalidInputError({ field: "phase", message });
}

function checkTimes(times: number): number {
  if (times === Infinity || (Number.isInteger(times) && times > 0)) return times;
  throw new InvalidInputError({ field: "times", message: "expected a positive integer or Infinity", value: times });
}
