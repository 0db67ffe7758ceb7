import { type MeterProvider, metrics, type TextMapPropagator, type TracerProvider, trace } from "@opentelemetry/api";
import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { refuse, typeName } from "../input/check.js";
import { packageVersion } from "../internal/package-version.js";
import { listenFor } from "../tracing/listen.js";
import { MetricListener } from "./metrics.js";
import { SpanListener } from "./spans.js";

/** The name of the tracer and of the meter. */
const scope = "k8s-cri-client";
/** The version of the semantic conventions that the names of attributes follow. */
const schemaUrl = "https://opentelemetry.io/schemas/1.45.0";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Makes the spans. @defaultValue the global tracer provider */
  tracerProvider?: TracerProvider | undefined;
  /** Makes the metrics. @defaultValue the global meter provider */
  meterProvider?: MeterProvider | undefined;
  /** Writes the trace context into the metadata of each attempt. @defaultValue the global propagator */
  propagator?: TextMapPropagator | undefined;
}

const instrumentFields: FieldsOf<InstrumentOptions> = { tracerProvider: true, meterProvider: true, propagator: true };

/** Ends the instrumentation that {@link instrument} started. */
export interface Instrumentation extends Disposable {
  /** Stops recording. Operations in progress are still recorded when they end. Does nothing the second time. */
  disable(): void;
}

/**
 * Records spans and metrics of all clients in this process, from now on. Call it after the providers, the propagator and the context
 * manager are registered, for example after `sdk.start()`. Further calls with the same provider record nothing twice: the first
 * one's propagator applies until all are disabled.
 *
 * Spans are parts of the span that is active in the caller. That needs a context manager, such as that of the Node.js SDK.
 *
 * ```ts
 * import { instrument } from "k8s-cri-client/otel";
 *
 * using instrumentation = instrument();
 * ```
 *
 * @throws InvalidInputError for an invalid option
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  checkOptions(options, instrumentFields);
  const {
    tracerProvider = trace.getTracerProvider(),
    meterProvider = metrics.getMeterProvider(),
    propagator,
  } = options;
  checkMethod(tracerProvider, "tracerProvider", "getTracer");
  checkMethod(meterProvider, "meterProvider", "getMeter");
  if (propagator !== undefined) checkMethod(propagator, "propagator", "inject");
  const stops = [
    listenFor("spans", tracerProvider, () => {
      return new SpanListener(tracerProvider.getTracer(scope, packageVersion, { schemaUrl }), propagator);
    }),
    listenFor("metrics", meterProvider, () => {
      return new MetricListener(meterProvider.getMeter(scope, packageVersion, { schemaUrl }));
    }),
  ];
  const disable = () => {
    for (const stop of stops) stop();
  };
  return { disable, [Symbol.dispose]: disable };
}

function checkMethod(value: unknown, field: string, method: string): void {
  if (typeof Object(value)[method] === "function") return;
  refuse(field, `must have the method ${method}, got ${typeName(value)}`);
}
