import { ServerError, Status } from "nice-grpc-common";
import type { RpcName, RpcReply, RpcRequest, StreamingRpcName } from "./rpcs.js";

/** What a handler knows of its call. */
export interface HandlerContext {
  /** Aborts when the client goes away, the deadline passes or the runtime is killed. */
  readonly signal: AbortSignal;
  /** Aborts when the runtime is killed. */
  readonly killed: AbortSignal;
  readonly deadline: Date | undefined;
  /**
   * The moment between "begun" and "done", where faults of the phase `duringEffect` strike. Throws if the call is aborted by
   * then; an unattended one goes on without its client and throws only when the runtime is killed.
   */
  midway(options?: { unattended: boolean }): Promise<void>;
}

/** One function per RPC. */
export type Handlers = {
  [N in RpcName]: N extends StreamingRpcName
    ? (request: RpcRequest<N>, context: HandlerContext) => AsyncIterable<RpcReply<N>>
    : (request: RpcRequest<N>, context: HandlerContext) => RpcReply<N> | Promise<RpcReply<N>>;
};

/** The handlers of some RPCs. */
export type HandlersOf<N extends RpcName> = Pick<Handlers, N>;

/** A failure that a handler answers with. */
export function rpcError(code: keyof typeof Status, details: string): ServerError {
  return new ServerError(Status[code], details);
}
