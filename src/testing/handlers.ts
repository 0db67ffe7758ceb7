import { ServerError, Status } from "nice-grpc-common";
import type { RpcName, RpcReply, RpcRequest, StreamingRpcName } from "./rpcs.js";

/** The call that a handler serves. */
export interface HandlerContext {
  /** Aborts when the client cancels or disconnects, the deadline passes or the runtime is killed. */
  readonly signal: AbortSignal;
  /** Aborts when the runtime is killed. */
  readonly killed: AbortSignal;
  readonly deadline: Date | undefined;
  /**
   * Injects the faults of the phase `duringEffect`. Handlers call this method after their work has begun and before it is done.
   * Throws if the call was aborted; for work that survives its client, only if the runtime was killed.
   */
  duringEffect(options?: { survivesClient: boolean }): Promise<void>;
}

/** One function per RPC. */
export type Handlers = {
  [N in RpcName]: N extends StreamingRpcName
    ? (request: RpcRequest<N>, context: HandlerContext) => AsyncIterable<RpcReply<N>>
    : (request: RpcRequest<N>, context: HandlerContext) => RpcReply<N> | Promise<RpcReply<N>>;
};

/** The handlers of some RPCs. */
export type HandlersOf<N extends RpcName> = Pick<Handlers, N>;

/** Makes the error for a handler to throw. */
export function rpcError(code: keyof typeof Status, details: string): ServerError {
  return new ServerError(Status[code], details);
}
