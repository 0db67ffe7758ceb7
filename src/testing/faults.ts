import { Status } from "nice-grpc-common";
import { type GrpcErrorCode, InvalidInputError } from "../errors.js";
import { checkRpcName, type RpcName, type RpcReply, type RpcRequest, rpcs } from "./rpcs.js";

/**
 * When a fault strikes.
 *
 * - `beforeEffect`: the request was received, nothing was done.
 * - `duringEffect`: RunPodSandbox and CreateContainer have reserved their name, PullImage and ExecSync have started, a stream
 *   has sent its first message.
 * - `afterEffect`: the work is done and only the answer is lost or spoilt.
 */
export type FaultPhase = "beforeEffect" | "duringEffect" | "afterEffect";

/** Which calls a fault is meant for. */
export interface FaultOptions<N extends RpcName = RpcName> {
  /** @defaultValue "beforeEffect" */
  phase?: FaultPhase | undefined;
  /** How many calls it strikes; `Infinity` until {@link FakeRuntime.clearFaults}. @defaultValue 1 */
  times?: number | undefined;
  /** Leaves alone the calls for which this is false. */
  match?: ((request: RpcRequest<N>) => boolean) | undefined;
}

/** How {@link FakeRuntime.failNext} makes a call fail. */
export interface FailOptions<N extends RpcName = RpcName> extends FaultOptions<N> {
  code: GrpcErrorCode;
  /** @defaultValue a sentence that says that the failure was asked for */
  message?: string | undefined;
  /** Trailing metadata. */
  trailers?: Readonly<Record<string, string>> | undefined;
}

/** A fault that has calls left to strike. */
export interface PendingFault {
  readonly rpc: RpcName | "*";
  readonly kind: "fail" | "delay" | "hang" | "drop" | "respond";
  readonly phase: FaultPhase;
  /** How many calls it will still strike. */
  readonly times: number;
}

/** What a reply is replaced with, or how it is made from the real one. */
export type ReplyScript<N extends RpcName = RpcName> =
  | RpcReply<N>
  | ((reply: RpcReply<N>, request: RpcRequest<N>) => RpcReply<N>);

/** A {@link ReplyScript} of whichever RPC. */
export type AnyReplyScript = RpcReply | ((reply: never, request: never) => RpcReply);

type AnyFaultOptions = Omit<FaultOptions, "match"> & { match?: ((request: never) => boolean) | undefined };

/** What a fault does. */
export type FaultAction =
  | { kind: "fail"; code: Status; message: string; trailers: Readonly<Record<string, string>> }
  | { kind: "delay"; ms: number }
  | { kind: "hang" }
  | { kind: "drop" }
  | { kind: "respond"; reply: AnyReplyScript };

interface Fault {
  readonly rpc: RpcName | "*";
  readonly phase: FaultPhase;
  readonly action: FaultAction;
  readonly match: ((request: never) => boolean) | undefined;
  left: number;
}

/** The faults of one call: at most one delay and one of another kind. */
export class CallFaults {
  constructor(private readonly faults: readonly Fault[]) {}

  /** What is to happen at a phase, the delay first. */
  at(phase: FaultPhase): FaultAction[] {
    return this.faults.filter((fault) => fault.phase === phase && fault.action.kind !== "respond").map((f) => f.action);
  }

  /** The scripted reply, if there is one. */
  get reply(): AnyReplyScript | undefined {
    for (const { action } of this.faults) if (action.kind === "respond") return action.reply;
    return undefined;
  }
}

/** RPCs with a moment between "begun" and "done". */
const midwayRpcs = new Set<RpcName>(["RunPodSandbox", "CreateContainer", "PullImage", "ExecSync"]);

/** Faults in the order in which they were asked for. */
export class FaultQueue {
  readonly #faults: Fault[] = [];

  add(rpc: RpcName | "*", action: FaultAction, options: AnyFaultOptions): void {
    const name = rpc === "*" ? rpc : checkRpcName(rpc);
    const phase = checkPhase(name, options.phase ?? "beforeEffect");
    this.#faults.push({ rpc: name, phase, action, match: options.match, left: checkTimes(options.times ?? 1) });
  }

  /** The faults that strike a call; they count as used from now on. */
  take(rpc: RpcName, request: RpcRequest): CallFaults {
    const applies = (fault: Fault) =>
      (fault.rpc === rpc || fault.rpc === "*") && (fault.match?.(request as never) ?? true);
    const delay = this.#faults.find((fault) => fault.action.kind === "delay" && applies(fault));
    const other = this.#faults.find((fault) => fault.action.kind !== "delay" && applies(fault));
    const taken = [delay, other].filter((fault) => fault !== undefined);
    for (const fault of taken) {
      fault.left--;
      if (fault.left <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    }
    return new CallFaults(taken);
  }

  get pending(): readonly PendingFault[] {
    return this.#faults.map(({ rpc, phase, action, left }) => ({ rpc, kind: action.kind, phase, times: left }));
  }

  clear(): void {
    this.#faults.length = 0;
  }
}

/** Reads the options of a scripted failure. */
export function failure(options: {
  code: GrpcErrorCode;
  message?: string | undefined;
  trailers?: Readonly<Record<string, string>> | undefined;
}): FaultAction {
  const code = Status[options.code] as Status | undefined;
  if (typeof code !== "number" || code === Status.OK) {
    throw new InvalidInputError({ field: "code", message: "no gRPC error code", value: options.code });
  }
  const message = options.message ?? `${options.code} as asked for with failNext`;
  return { kind: "fail", code, message, trailers: options.trailers ?? {} };
}

function checkPhase(rpc: RpcName | "*", phase: FaultPhase): FaultPhase {
  if (!["beforeEffect", "duringEffect", "afterEffect"].includes(phase)) {
    throw new InvalidInputError({ field: "phase", message: "no such phase", value: phase });
  }
  if (phase === "duringEffect" && rpc !== "*" && !midwayRpcs.has(rpc) && !rpcs.get(rpc)?.streaming) {
    const able = [...midwayRpcs].join(", ");
    throw new InvalidInputError({
      field: "phase",
      message: `${rpc} does its work in one step; duringEffect is for ${able} and streams`,
    });
  }
  return phase;
}

function checkTimes(times: number): number {
  if (times === Infinity || (Number.isInteger(times) && times > 0)) return times;
  throw new InvalidInputError({ field: "times", message: "expected a positive integer or Infinity", value: times });
}
