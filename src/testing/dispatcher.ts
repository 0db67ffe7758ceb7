import { ServerError, Status } from "nice-grpc-common";
import type { GrpcErrorCode } from "../errors.js";
import { onAbort } from "../internal/abort.js";
import { sleep } from "../internal/timer.js";
import { type CallLog, CallRecord } from "./calls.js";
import type { AnyReplyScript, CallFaults, FaultPhase, FaultQueue } from "./faults.js";
import type { HandlerContext, Handlers } from "./handlers.js";
import { type Rpc, type RpcName, type RpcReply, type RpcRequest, rpcsByPath } from "./rpcs.js";
import { FramingError } from "./wire/framing.js";
import { CallAborted, type IncomingCall } from "./wire/incoming-call.js";

/** Thrown past the handler after the connection was broken off: there is nobody left to answer. */
class Dropped extends Error {}

/** A failure with trailing metadata. */
class ScriptedFailure extends ServerError {
  constructor(
    code: Status,
    details: string,
    readonly trailers: Readonly<Record<string, string>>,
  ) {
    super(code, details);
  }
}

/** What a {@link Dispatcher} works with. */
export interface DispatcherOptions {
  handlers: () => Handlers;
  faults: FaultQueue;
  calls: CallLog;
  /** The sentence of an UNIMPLEMENTED, for RPCs that answer with it. */
  unimplemented: (rpc: Rpc) => string | undefined;
  /** Whether there are CRI services here at all. */
  serveCri: boolean;
  maxMessageBytes: number;
}

/** The way of a call: recorded, struck by faults, handled, answered. */
export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Takes over a call. Never rejects. */
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
      answerUnreadable(call, error);
      return;
    }
    this.#options.calls.add(record);
    try {
      await this.#run(rpc, call, record);
      record.cancelled = (call.signal.reason as CallAborted | undefined)?.why === "cancelled";
      call.finish(Status.OK);
      record.end("OK");
    } catch (error) {
      answerFailure(call, record, error);
    }
  }

  async #run(rpc: Rpc, call: IncomingCall, record: CallRecord): Promise<void> {
    const faults = this.#options.faults.take(rpc.name, record.request);
    const inject = (phase: FaultPhase) => strike(faults, phase, call, call.signal);
    await inject("beforeEffect");
    const script = faults.reply;
    const scripted = script !== undefined && typeof script !== "function";
    const context: HandlerContext = {
      signal: call.signal,
      deadline: call.deadline,
      midway: async ({ unattended } = { unattended: false }) => {
        const signal = unattended ? call.killed : call.signal;
        await strike(faults, "duringEffect", call, signal);
        signal.throwIfAborted();
      },
    };
    const send = async (reply: RpcReply) => {
      const message = rpc.encode(reply);
      if (message.length > this.#options.maxMessageBytes) {
        const details = `trying to send message larger than max (${message.length} vs. ${this.#options.maxMessageBytes})`;
        throw new ServerError(Status.RESOURCE_EXHAUSTED, details);
      }
      // Counted first: whoever got the message must find it counted.
      record.messagesSent++;
      await call.send(message);
    };
    if (rpc.streaming) {
      if (scripted) return send(script as RpcReply);
      for await (const reply of this.#stream(rpc, record.request, context)) {
        const first = record.messagesSent === 0;
        await send(first ? rewrite(script, reply, record.request) : reply);
        if (first) await inject("duringEffect");
      }
      return inject("afterEffect");
    }
    let reply: RpcReply;
    try {
      reply = await this.#reply(rpc, record.request, context);
    } catch (error) {
      if (!scripted || !(error instanceof ServerError)) throw error;
      reply = {};
    }
    await inject("afterEffect");
    await send(rewrite(script, reply, record.request));
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

async function strike(faults: CallFaults, phase: FaultPhase, call: IncomingCall, signal: AbortSignal): Promise<void> {
  for (const action of faults.at(phase)) {
    switch (action.kind) {
      case "delay":
        await sleep(action.ms, signal);
        break;
      case "fail":
        throw new ScriptedFailure(action.code, action.message, action.trailers);
      case "hang":
        // Not even the deadline is answered: only the client's going away ends it.
        await (signal === call.signal ? call.closed : aborted(signal));
        throw signal.reason;
      case "drop":
        call.connection.destroy();
        throw new Dropped();
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else onAbort(signal, resolve);
  });
}

function rewrite(script: AnyReplyScript | undefined, reply: RpcReply, request: RpcRequest): RpcReply {
  if (script === undefined) return reply;
  return typeof script === "function"
    ? (script as (reply: unknown, request: unknown) => RpcReply)(reply, request)
    : (script as RpcReply);
}

function answerFailure(call: IncomingCall, record: CallRecord, error: unknown): void {
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
  // Anything else that is thrown comes from a test's own hook: its message is what the author needs to see.
  const status = error instanceof ServerError ? error : new ServerError(Status.UNKNOWN, String(error));
  call.finish(status.code, status.details, error instanceof ScriptedFailure ? error.trailers : {});
  record.end(Status[status.code] as GrpcErrorCode, status.details);
}

function answerUnreadable(call: IncomingCall, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CallAborted) call.finish(Status.CANCELLED, message);
  else if (error instanceof FramingError) call.finish(framingCodes[error.kind], message);
  else call.finish(Status.INTERNAL, `grpc: error unmarshalling request: ${message}`);
}

const framingCodes = {
  "too-large": Status.RESOURCE_EXHAUSTED,
  compressed: Status.UNIMPLEMENTED,
  truncated: Status.INTERNAL,
} as const;

/** The words of gRPC's Go server. */
function unknownPath(path: string, serveCri: boolean): string {
  const match = /^\/([^/]+)\/([^/]+)$/.exec(path);
  if (!match) return `malformed method name: "${path}"`;
  const [, service, method] = match;
  const known = service === "runtime.v1.RuntimeService" || service === "runtime.v1.ImageService";
  return known && serveCri ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
}
