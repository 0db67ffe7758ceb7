import { InvalidInputError } from "../../errors.js";
import { checkRpcName, type RpcName, type RpcRequest } from "../rpcs.js";
import type { Chaos } from "./chaos.js";
import {
  type Fault,
  type FaultAction,
  type FaultKind,
  type FaultOptions,
  type FaultPhase,
  midwayRpcs,
  type PendingFault,
  phasesOf,
  type StruckFault,
} from "./fault.js";

/** The faults of one call, and which of them have struck. */
export class CallFaults {
  readonly struck: StruckFault[] = [];

  constructor(private readonly faults: readonly Fault[]) {}

  /** Those of a phase, in the order in which they strike. */
  at(phase: FaultPhase): Fault[] {
    return this.faults.filter((fault) => fault.phase === phase);
  }

  /** What the fault of a kind does, if there is one. */
  find<K extends FaultKind>(kind: K): Extract<FaultAction, { kind: K }> | undefined {
    return this.#of(kind)?.action as Extract<FaultAction, { kind: K }> | undefined;
  }

  /** Like {@link find}; the fault strikes. */
  use<K extends FaultKind>(kind: K): Extract<FaultAction, { kind: K }> | undefined {
    const fault = this.#of(kind);
    if (fault) this.note(fault);
    return this.find(kind);
  }

  /** A fault strikes. */
  note({ phase, action, origin, onStruck }: Fault): void {
    const struck: StruckFault = {
      kind: action.kind,
      phase,
      origin,
      ...("code" in action && { code: action.code }),
      ...("ms" in action && { ms: action.ms }),
    };
    this.struck.push(struck);
    onStruck?.(struck);
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

/** Which faults a call may have one each of, besides one of any other kind. */
const companions: readonly FaultKind[] = ["delay", "slow"];

/** Faults in the order in which they were asked for. */
export class FaultQueue {
  /** Strikes the calls for which no fault was asked for. */
  chaos: Chaos | undefined;
  readonly #faults: QueuedFault[] = [];

  add(rpc: RpcName | "*", action: FaultAction, options: AnyFaultOptions): void {
    const name = rpc === "*" ? rpc : checkRpcName(rpc);
    const phase = checkPhase(name, options.phase ?? "beforeEffect");
    const left = checkTimes(options.times ?? 1);
    this.#faults.push({ rpc: name, phase, action, origin: "test", match: options.match, left });
  }

  /** The faults that strike a call: at most one delay, one slow answer and one of another kind. They count as used from now on. */
  take(rpc: RpcName, request: RpcRequest): CallFaults {
    const first = (isWanted: (kind: FaultKind) => boolean) =>
      this.#faults.find(
        (fault) =>
          isWanted(fault.action.kind) &&
          (fault.rpc === rpc || fault.rpc === "*") &&
          (fault.match?.(request as never) ?? true),
      );
    const taken = [
      ...companions.map((companion) => first((kind) => kind === companion)),
      first((kind) => !companions.includes(kind)),
    ].filter((fault) => fault !== undefined);
    for (const fault of taken) {
      fault.left--;
      if (fault.left <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    }
    // It is asked in any case, for it counts the calls.
    const byChance = this.chaos?.decide(rpc);
    return new CallFaults(taken.length === 0 && byChance ? [byChance] : taken);
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
    throw new InvalidInputError({ field: "phase", message: "no such phase", value: phase });
  }
  if (rpc === "*" || phasesOf(rpc).includes(phase)) return phase;
  const message = `${rpc} does its work in one step; duringEffect is for ${[...midwayRpcs].join(", ")} and streams`;
  throw new InvalidInputError({ field: "phase", message });
}

function checkTimes(times: number): number {
  if (times === Infinity || (Number.isInteger(times) && times > 0)) return times;
  throw new InvalidInputError({ field: "times", message: "expected a positive integer or Infinity", value: times });
}
