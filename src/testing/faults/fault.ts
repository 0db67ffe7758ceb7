import { Status } from "nice-grpc-common";
import { type GrpcErrorCode, InvalidInputError } from "../../errors.js";
import type { FieldsOf } from "../../input/call-options.js";
import { channelDefaults } from "../../transport/channel.js";
import { type RpcName, type RpcReply, type RpcRequest, rpcs } from "../rpcs.js";

/**
 * When a fault is injected.
 *
 * - `beforeEffect`: the request has arrived, and nothing has been done.
 * - `duringEffect`: RunPodSandbox and CreateContainer have reserved their name, PullImage and ExecSync have started, or a stream
 *   has sent its first message.
 * - `afterEffect`: the work is done. The fault affects the reply only.
 */
export type FaultPhase = "beforeEffect" | "duringEffect" | "afterEffect";

/** Selects the calls that get a fault, and the phase. */
export interface FaultOptions<N extends RpcName = RpcName> {
  /** @defaultValue "beforeEffect" */
  phase?: FaultPhase | undefined;
  /** The number of calls that get the fault; `Infinity` for all until {@link FakeRuntime.clearFaults}. @defaultValue 1 */
  times?: number | undefined;
  /** Skips calls for which it returns false. */
  match?: ((request: RpcRequest<N>) => boolean) | undefined;
}

/** Selects the calls whose reply a fault changes. The phase of the fault is always `afterEffect`. */
export type ReplyFaultOptions<N extends RpcName = RpcName> = Omit<FaultOptions<N>, "phase">;

/** Options of {@link FakeRuntime.failNext}. */
export interface FailOptions<N extends RpcName = RpcName> extends FaultOptions<N> {
  code: GrpcErrorCode;
  /** @defaultValue a message that names `failNext` */
  message?: string | undefined;
  /** Trailing metadata. */
  trailers?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link FakeRuntime.slowNext}. */
export interface SlowOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  /** The size of each piece. @defaultValue 1 */
  chunkBytes?: number | undefined;
  /** The pause before each piece, in milliseconds. @defaultValue 10 */
  everyMs?: number | undefined;
}

/** Options of {@link FakeRuntime.oversizeNext}. */
export interface OversizeOptions<N extends RpcName = RpcName> extends ReplyFaultOptions<N> {
  /** The size of the message. @defaultValue one byte more than the default limit of `CriClient`: 80 MiB and 1 byte */
  bytes?: number | undefined;
}

export const replyFaultFields: FieldsOf<ReplyFaultOptions> = { times: true, match: true };
export const faultFields: FieldsOf<FaultOptions> = { phase: true, ...replyFaultFields };
export const failFields: FieldsOf<FailOptions> = { code: true, message: true, trailers: true, ...faultFields };
export const slowFields: FieldsOf<SlowOptions> = { chunkBytes: true, everyMs: true, ...replyFaultFields };
export const oversizeFields: FieldsOf<OversizeOptions> = { bytes: true, ...replyFaultFields };

/** The kinds of faults. `respond` replaces the reply. Only chaos uses `restart`. */
export type FaultKind = "fail" | "delay" | "hang" | "drop" | "respond" | "oversize" | "slow" | "restart";

/** A fault that waits for a call. */
export interface PendingFault {
  readonly rpc: RpcName | "*";
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  /** The number of calls that will still get the fault. */
  readonly times: number;
}

/** A fault that was injected into a call. */
export interface InjectedFault {
  readonly kind: FaultKind;
  readonly phase: FaultPhase;
  /** Whether a test requested the fault, as with `failNext`, or {@link Chaos} chose it. */
  readonly origin: "test" | "chaos";
  /** The code of a `fail`. */
  readonly code?: GrpcErrorCode | undefined;
  /** In milliseconds: the length of a `delay`, the limit of a `hang`, or the downtime of a `restart`. */
  readonly ms?: number | undefined;
}

/**
 * The replacement of a reply: a message, the bytes of one, valid or not, or a function that returns either from the real reply.
 */
export type ReplyScript<N extends RpcName = RpcName> =
  | RpcReply<N>
  | Uint8Array
  | ((reply: RpcReply<N>, request: RpcRequest<N>) => RpcReply<N> | Uint8Array);

/** A {@link ReplyScript} of any RPC. */
export type AnyReplyScript = RpcReply | Uint8Array | ((reply: never, request: never) => RpcReply | Uint8Array);

/** The effect of a fault in its phase. The last three change the reply. */
export type FaultAction =
  | { kind: "fail"; code: GrpcErrorCode; message: string; trailers: Readonly<Record<string, string>> }
  | { kind: "delay"; ms: number }
  /** Without `ms`, until the client cancels or disconnects. */
  | { kind: "hang"; ms?: number | undefined }
  | { kind: "drop" }
  | { kind: "restart"; ms: number; restart: () => void }
  | { kind: "respond"; reply: AnyReplyScript }
  | { kind: "oversize"; bytes: number }
  | { kind: "slow"; chunkBytes: number; everyMs: number };

/** A fault to inject into a call. */
export interface Fault {
  readonly phase: FaultPhase;
  readonly action: FaultAction;
  readonly origin: InjectedFault["origin"];
  /** Called when the fault is injected. */
  readonly onInjected?: ((injected: InjectedFault) => void) | undefined;
}

/** Unary RPCs that have the phase `duringEffect`. */
export const multiStepRpcs: ReadonlySet<RpcName> = new Set([
  "RunPodSandbox",
  "CreateContainer",
  "PullImage",
  "ExecSync",
]);

/** Returns the phases of an RPC. */
export function phasesOf(rpc: RpcName): FaultPhase[] {
  const isMultiStep = multiStepRpcs.has(rpc) || rpcs.get(rpc)?.streaming;
  return isMultiStep ? ["beforeEffect", "duringEffect", "afterEffect"] : ["beforeEffect", "afterEffect"];
}

/** Checks the options of a failure, and returns the action. @throws InvalidInputError */
export function failure(options: {
  code: GrpcErrorCode;
  message?: string | undefined;
  trailers?: Readonly<Record<string, string>> | undefined;
}): FaultAction {
  checkCode(options.code, "code");
  const message = options.message ?? `${options.code} as requested by failNext`;
  return { kind: "fail", code: options.code, message, trailers: options.trailers ?? {} };
}

/** Checks the name of an error code. @throws InvalidInputError for any other value */
export function checkCode(name: GrpcErrorCode, field: string): void {
  const code = Status[name] as Status | undefined;
  if (typeof code === "number" && code !== Status.OK) return;
  throw new InvalidInputError({ field, message: "expected the name of a gRPC error code", value: name });
}

/** Checks the options of a slow reply, and returns the action. @throws InvalidInputError */
export function slowness({ chunkBytes = 1, everyMs = 10 }: Pick<SlowOptions, "chunkBytes" | "everyMs">): FaultAction {
  if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
    throw new InvalidInputError({ field: "chunkBytes", message: "expected a positive integer", value: chunkBytes });
  }
  return { kind: "slow", chunkBytes, everyMs: checkMs(everyMs, "everyMs") };
}

/** A gRPC message has its size in 32 bits, and Node.js limits a buffer to 4 GiB. */
const largestMessageBytes = 2 ** 32 - 6;

/** Checks the options of an oversized reply, and returns the action. @throws InvalidInputError */
export function oversize({
  bytes = channelDefaults["grpc.max_receive_message_length"] + 1,
}: Pick<OversizeOptions, "bytes">): FaultAction {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > largestMessageBytes) {
    const message = `expected a number of bytes from 1 to ${largestMessageBytes}`;
    throw new InvalidInputError({ field: "bytes", message, value: bytes });
  }
  return { kind: "oversize", bytes };
}

/** Checks a time: a finite number of milliseconds, 0 or more. @throws InvalidInputError for any other value */
export function checkMs(ms: number, field: string): number {
  if (ms >= 0 && ms < Infinity) return ms;
  throw new InvalidInputError({ field, message: "expected a number of milliseconds, 0 or more", value: ms });
}
