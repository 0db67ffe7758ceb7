import { ServerError, Status } from "nice-grpc-common";
import type { GrpcErrorCode } from "../errors.js";
import { errorMessage } from "../internal/error-message.js";
import { type CallLog, CallRecord } from "./calls.js";
import type { FaultPhase } from "./faults/fault.js";
import { Dropped, injectFaults, ScriptedFailure } from "./faults/inject.js";
import type { FaultQueue } from "./faults/queue.js";
import type { HandlerContext, Handlers } from "./handlers.js";
import { ReplySender } from "./reply-sender.js";
import { type Rpc, type RpcName, type RpcReply, type RpcRequest, rpcsByPath } from "./rpcs.js";
import type { Clock } from "./state/clock.js";
import { FramingError } from "./wire/framing.js";
import { CallAborted, type IncomingCall } from "./wire/incoming-call.js";

export interface DispatcherOptions {
  handlers: () => Handlers;
  faults: FaultQueue;
  clock: Clock;
  calls: CallLog;
  /** Returns the error message for an RPC that fails with UNIMPLEMENTED. */
  unimplemented: (rpc: Rpc) => string | undefined;
  /** Whether the server has CRI services at all. */
  serveCri: boolean;
  maxMessageBytes: number;
}

/** Processes calls: records each, injects its faults, calls its handler and sends the reply. */
export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Processes a call. Never rejects. */
  async handle(call: IncomingCall): Promise<void> {
    const rpc = this.#options.serveCri ? rpcsByPath.get(call.path) : undefined;
    if (!rpc) {
      call.finish(Status.UNIMPLEMENTED, unknownPath(call.path, this.#options.serveCri));
      return;
    }
    let record: CallRecord;
    try {
      record = new CallRecord(rpc.name, rpc.decode(await call.request()), call);
    } catch (error) {
      finishUnreadable(call, error);
      return;
    }
    this.#options.calls.add(record);
    try {
      await this.#run(rpc, call, record);
      record.cancelled = (call.signal.reason as CallAborted | undefined)?.why === "cancelled";
      call.finish(Status.OK);
      record.end("OK");
    } catch (error) {
      finishFailed(call, record, error);
    }
  }

  async #run(rpc: Rpc, call: IncomingCall, record: CallRecord): Promise<void> {
    const { clock } = this.#options;
    const faults = this.#options.faults.take(rpc.name, record.request);
    record.faults = faults.injected;
    const inject = (phase: FaultPhase, signal = call.signal) => injectFaults(faults, phase, call, signal, clock);
    const sender = new ReplySender(rpc, call, record, faults, this.#options);
    await inject("beforeEffect");
    const context: HandlerContext = {
      signal: call.signal,
      killed: call.killed,
      deadline: call.deadline,
      duringEffect: async ({ survivesClient } = { survivesClient: false }) => {
        const signal = survivesClient ? call.killed : call.signal;
        await inject("duringEffect", signal);
        signal.throwIfAborted();
      },
    };
    if (rpc.streaming) {
      if (sender.isFixed) return sender.send({});
      for await (const reply of this.#stream(rpc, record.request, context)) {
        await sender.send(reply);
        if (record.messagesSent === 1) await inject("duringEffect");
      }
      return inject("afterEffect");
    }
    let reply: RpcReply;
    try {
      reply = await this.#reply(rpc, record.request, context);
    } catch (error) {
      if (!sender.isFixed || !(error instanceof ServerError)) throw error;
      reply = {};
    }
    await inject("afterEffect");
    await sender.send(reply);
  }

  #reply(rpc: Rpc, request: RpcRequest, context: HandlerContext): Promise<RpcReply> | RpcReply {
    this.#refuseUnimplemented(rpc);
    const handler = this.#options.handlers()[rpc.name] as (r: RpcRequest, c: HandlerContext) => RpcReply;
    return handler(request, context);
  }

  #stream(rpc: Rpc, request: RpcRequest, context: HandlerContext): AsyncIterable<RpcReply> {
    this.#refuseUnimplemented(rpc);
    const handler = this.#options.handlers()[rpc.name as RpcName] as unknown as (
      r: RpcRequest,
      c: HandlerContext,
    ) => AsyncIterable<RpcReply>;
    return handler(request, context);
  }

  #refuseUnimplemented(rpc: Rpc): void {
    const details = this.#options.unimplemented(rpc);
    if (details !== undefined) throw new ServerError(Status.UNIMPLEMENTED, details);
  }
}

function finishFailed(call: IncomingCall, record: CallRecord, error: unknown): void {
  if (error instanceof Dropped) {
    record.end("DROPPED");
    return;
  }
  if (call.signal.aborted || error instanceof CallAborted) {
    const why = (call.signal.reason as CallAborted | undefined)?.why ?? "cancelled";
    record.cancelled = why === "cancelled";
    const code = why === "deadline" ? "DEADLINE_EXCEEDED" : "CANCELLED";
    const message = new CallAborted(why).message;
    call.finish(Status[code], message);
    record.end(code, message);
    return;
  }
  // Any other error comes from a hook of the test, so its message is passed on to the test's author.
  const status = error instanceof ServerError ? error : new ServerError(Status.UNKNOWN, String(error));
  call.finish(status.code, status.details, error instanceof ScriptedFailure ? error.trailers : {});
  record.end(Status[status.code] as GrpcErrorCode, status.details);
}

function finishUnreadable(call: IncomingCall, error: unknown): void {
  const message = errorMessage(error);
  if (error instanceof CallAborted) call.finish(Status.CANCELLED, message);
  else if (error instanceof FramingError) call.finish(framingCodes[error.kind], message);
  else call.finish(Status.INTERNAL, `grpc: error unmarshalling request: ${message}`);
}

const framingCodes = {
  "too-large": Status.RESOURCE_EXHAUSTED,
  compressed: Status.UNIMPLEMENTED,
  truncated: Status.INTERNAL,
} as const;

/** Returns the error message of gRPC's Go server. */
function unknownPath(path: string, serveCri: boolean): string {
  const match = /^\/([^/]+)\/([^/]+)$/.exec(path);
  if (!match) return `malformed method name: "${path}"`;
  const [, service, method] = match;
  const known = service === "runtime.v1.RuntimeService" || service === "runtime.v1.ImageService";
  return known && serveCri ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
}
