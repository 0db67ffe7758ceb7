import { Status } from "nice-grpc-common";
import { type GrpcErrorCode, InvalidInputError } from "../../errors.js";
import { channelDefaults } from "../../transport/channel.js";
import { type RpcName, type RpcReply, type RpcRequest, rpcs } from "../rpcs.js";

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

/** Which calls a fault of the answer is meant for: it has no phase to choose. */
export type ReplyFaultOptions<N extends RpcName = RpcName> = Omit<FaultOptions<N>, "phase">;

/** How {@link FakeRuntime.failNext} makes a call fail. */
export interface FailOptions<N extends RpcName = RpcName> extends FaultOptions<N> {
  code: GrpcErrorCode;
  /** @defaultValue a sentence that says that the failure was asked for */
  message?: string | undefined;
  /** Trailing metadata. */
  trailers?: Readonly<Record<string, string>> | undefined;
}

/** How slowly {@link FakeRuntime.slowNext} has an answer arrive. */
export interface SlowOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  /** How many bytes come at a time. @defaultValue 1 */
  chunkBytes?: number | undefined;
  /** The pause before each of these pieces, in milliseconds. @defaultValue 10 */
  everyMs?: number | undefined;
}

/** How large {@link FakeRuntime.oversizeNext} makes an answer. */
export interface OversizeOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  /** The size of the message. @defaultValue one byte more than `CriClient` takes by default: 80 MiB and 1 byte */
  bytes?: number | undefined;
}

/** The kinds of faults. `respond` is a replaced reply, `restart` belongs to chaos. */
export type FaultKind = "fail" | "delay" | "hang" | "drop" | "respond" | "oversize" | "slow" | "restart";

/** A fault that has calls left to strike. */
export interface PendingFault {
  readonly rpc: RpcName | "*";
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  /** How many calls it will still strike. */
  readonly times: number;
}

/** A fault that struck a call. */
export interface StruckFault {
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  /** Whether a test asked for it by name, as with `failNext`, or {@link Chaos} chose it. */
  readonly origin: "test" | "chaos";
  /** What a `fail` answered. */
  readonly code?: GrpcErrorCode | undefined;
  /** How long a `delay` was to be, a `hang` at most, and how long a `restart` took the runtime away, in milliseconds. */
  readonly ms?: number | undefined;
}

/**
 * What a reply is replaced with: a message, the bytes of one whether or not they make sense, or a function that makes either from
 * the real reply.
 */
export type ReplyScript<N extends RpcName = RpcName> =
  | RpcReply<N>
  | Uint8Array
  | ((reply: RpcReply<N>, request: RpcRequest<N>) => RpcReply<N> | Uint8Array);

/** A {@link ReplyScript} of whichever RPC. */
export type AnyReplyScript = RpcReply | Uint8Array | ((reply: never, request: never) => RpcReply | Uint8Array);

/** What a fault does: at its moment, and the last three to the answer. */
export type FaultAction =
  | { kind: "fail"; code: GrpcErrorCode; message: string; trailers: Readonly<Record<string, string>> }
  | { kind: "delay"; ms: number }
  /** Without a limit until the client goes away. */
  | { kind: "hang"; ms?: number | undefined }
  | { kind: "drop" }
  | { kind: "restart"; ms: number; restart: () => void }
  | { kind: "respond"; reply: AnyReplyScript }
  | { kind: "oversize"; bytes: number }
  | { kind: "slow"; chunkBytes: number; everyMs: number };

/** A fault on its way to a call. */
export interface Fault {
  readonly phase: FaultPhase;
  readonly action: FaultAction;
  readonly origin: StruckFault["origin"];
  /** Called when it has struck. */
  readonly onStruck?: ((struck: StruckFault) => void) | undefined;
}

/** RPCs with a moment between "begun" and "done". */
export const midwayRpcs: ReadonlySet<RpcName> = new Set(["RunPodSandbox", "CreateContainer", "PullImage", "ExecSync"]);

/** The phases that a call of an RPC goes through. */
export function phasesOf(rpc: RpcName): FaultPhase[] {
  const inSteps = midwayRpcs.has(rpc) || rpcs.get(rpc)?.streaming;
  return inSteps ? ["beforeEffect", "duringEffect", "afterEffect"] : ["beforeEffect", "afterEffect"];
}

/** Reads the options of a scripted failure. */
export function failure(options: {
  code: GrpcErrorCode;
  message?: string | undefined;
  trailers?: Readonly<Record<string, string>> | undefined;
}): FaultAction {
  checkCode(options.code, "code");
  const message = options.message ?? `${options.code} as asked for with failNext`;
  return { kind: "fail", code: options.code, message, trailers: options.trailers ?? {} };
}

/** Refuses what is no code of a failure. */
export function checkCode(name: GrpcErrorCode, field: string): void {
  const code = Status[name] as Status | undefined;
  if (typeof code === "number" && code !== Status.OK) return;
  throw new InvalidInputError({ field, message: "no gRPC error code", value: name });
}

/** Reads the options of a slow answer. */
export function slowness({ chunkBytes = 1, everyMs = 10 }: Pick<SlowOptions, "chunkBytes" | "everyMs">): FaultAction {
  if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
    throw new InvalidInputError({ field: "chunkBytes", message: "expected a positive integer", value: chunkBytes });
  }
  return { kind: "slow", chunkBytes, everyMs: checkMs(everyMs, "everyMs") };
}

/** A gRPC message says its size in 32 bits, and Node.js makes no buffer of more than 4 GiB. */
const largestMessageBytes = 2 ** 32 - 6;

/** Reads the options of an answer that is too large. */
export function oversize({
  bytes = channelDefaults["grpc.max_receive_message_length"] + 1,
}: Pick<OversizeOptions, "bytes">): FaultAction {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > largestMessageBytes) {
    const message = `expected a number of bytes from 1 to ${largestMessageBytes}`;
    throw new InvalidInputError({ field: "bytes", message, value: bytes });
  }
  return { kind: "oversize", bytes };
}

/** Refuses what is no span of time. */
export function checkMs(ms: number, field: string): number {
  if (ms >= 0 && ms < Infinity) return ms;
  throw new InvalidInputError({ field, message: "expected a number of milliseconds, 0 or more", value: ms });
}
