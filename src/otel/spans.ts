import {
  type Context,
  context,
  diag,
  type Link,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { OperationListener } from "../tracing/listen.js";
import type { Operation } from "../tracing/operation.js";
import type { AnyOperation, AttemptOperation } from "../tracing/operations.js";
import { rpcMethod, spanAttributes } from "./attributes.js";

/** Makes a span of each operation, and sends the context of each attempt to the runtime. */
export class SpanListener implements OperationListener {
  readonly #tracer: Tracer;
  readonly #propagator: Pick<TextMapPropagator, "inject">;
  /** The context of each operation, with its span. */
  readonly #contexts = new WeakMap<Operation, Context>();

  /** @param propagator the global propagator if it is undefined */
  constructor(tracer: Tracer, propagator: TextMapPropagator | undefined) {
    this.#tracer = tracer;
    this.#propagator = propagator ?? propagation;
  }

  started(operation: AnyOperation): void {
    const outer = this.#outerContext(operation);
    const options = {
      kind: operation.kind === "workflow" ? SpanKind.INTERNAL : SpanKind.CLIENT,
      attributes: spanAttributes(operation),
      links: operation.inBackground ? this.#linksTo(operation.startedBy) : [],
    };
    const own = trace.setSpan(outer, this.#tracer.startSpan(spanName(operation), options, outer));
    this.#contexts.set(operation, own);
    operation.runWithin((work) => context.with(own, work));
    if (operation.kind === "attempt") this.#inject(own, operation);
  }

  ended(operation: AnyOperation): void {
    const own = this.#contexts.get(operation);
    const span = own && trace.getSpan(own);
    if (!span) return;
    span.setAttributes(spanAttributes(operation));
    if (isError(operation)) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  /**
   * Returns the active context, which has the span of the parent operation, or a span that the program started within that. Without
   * a context manager no context is ever active.
   */
  #outerContext({ inBackground, parent }: AnyOperation): Context {
    if (inBackground) return ROOT_CONTEXT;
    const active = context.active();
    if (trace.getSpan(active) || !parent) return active;
    return this.#contexts.get(parent) ?? active;
  }

  #linksTo(startedBy: Operation | undefined): Link[] {
    const starter = (startedBy && this.#contexts.get(startedBy)) ?? context.active();
    const spanContext = trace.getSpanContext(starter);
    return spanContext ? [{ context: spanContext }] : [];
  }

  #inject(own: Context, attempt: AttemptOperation): void {
    try {
      this.#propagator.inject(own, attempt, { set: (carrier, name, value) => carrier.setMetadata(name, value) });
    } catch (error) {
      diag.warn("k8s-cri-client: the propagator's fields are not valid gRPC metadata", error);
    }
  }
}

function spanName(operation: AnyOperation): string {
  if (operation.kind === "call") return rpcMethod(operation);
  return operation.kind === "attempt" ? `Attempt.${rpcMethod(operation)}` : operation.name;
}

/** A session or workflow that the program itself ended is no error. For RPCs, the conventions demand one. */
function isError({ kind, outcome }: AnyOperation): boolean {
  if (outcome === "OK") return false;
  return outcome !== "CANCELLED" || kind === "call" || kind === "attempt";
}
