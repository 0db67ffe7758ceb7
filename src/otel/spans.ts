import {
  type Context,
  context,
  diag,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { OperationListener } from "../tracing/listen.js";
import type { Operation } from "../tracing/operation.js";
import type { AnyOperation, AttemptOperation } from "../tracing/operations.js";
import { processWide } from "../tracing/process-wide.js";
import { rpcMethod, spanAttributes } from "./attributes.js";

/** The spans of all listeners. */
const spans = processWide("own-spans", () => new WeakSet<Span>());

/** Makes a span of each operation, and sends the context of each attempt to the runtime. */
export class SpanListener implements OperationListener {
  readonly #tracer: Tracer;
  readonly #propagator: Pick<TextMapPropagator, "inject">;
  /** The context of each operation, with its span. */
  readonly #contexts = new WeakMap<Operation, Context>();
  readonly #warnings = new Set<string>();

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
    const span = this.#tracer.startSpan(spanName(operation), options, outer);
    spans.add(span);
    const own = trace.setSpan(outer, span);
    this.#contexts.set(operation, own);
    operation.runWithin((work) => context.with(own, work));
    if (operation.kind === "attempt") this.#inject(own, operation);
  }

  ended(operation: AnyOperation): void {
    const own = this.#contexts.get(operation);
    const span = own && trace.getSpan(own);
    if (!span) return;
    span.setAttributes(spanAttributes(operation));
    if (operation.hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  /**
   * Returns the active context. It has the span of the parent operation, or a span that the program started within that. Without a
   * context manager no context is ever active. With several listeners, the active span of an operation is the one of another
   * listener, which is replaced.
   */
  #outerContext({ inBackground, parent }: AnyOperation): Context {
    if (inBackground) return ROOT_CONTEXT;
    const active = context.active();
    const own = parent && this.#contexts.get(parent);
    const activeSpan = trace.getSpan(active);
    if (!own || (activeSpan && !spans.has(activeSpan))) return active;
    return activeSpan ? trace.setSpan(active, trace.getSpan(own) ?? activeSpan) : own;
  }

  #linksTo(startedBy: Operation | undefined): Link[] {
    const starter = (startedBy && this.#contexts.get(startedBy)) ?? context.active();
    const spanContext = trace.getSpanContext(starter);
    return spanContext ? [{ context: spanContext }] : [];
  }

  #inject(own: Context, attempt: AttemptOperation): void {
    const set = (_: unknown, name: string, value: string) => {
      try {
        attempt.setMetadata(name, value);
      } catch {
        this.#warn(`${name} of the propagator is not valid gRPC metadata, and is not sent`);
      }
    };
    try {
      this.#propagator.inject(own, attempt, { set });
    } catch {
      this.#warn("the propagator failed");
    }
  }

  /** Logs a warning once. The errors are left out, because they contain the values of baggage. */
  #warn(message: string): void {
    if (this.#warnings.has(message)) return;
    this.#warnings.add(message);
    diag.warn(`k8s-cri-client: ${message}`);
  }
}

function spanName(operation: AnyOperation): string {
  if (operation.kind === "call") return rpcMethod(operation);
  return operation.kind === "attempt" ? `Attempt.${rpcMethod(operation)}` : operation.name;
}
