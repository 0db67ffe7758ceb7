// The public types of k8s-cri-client/otel. Written by `npm run api`.

export type { InstrumentOptions };
export type { Instrumentation };
export { instrument };

import type { MeterProvider } from "@opentelemetry/api";
import type { TextMapPropagator } from "@opentelemetry/api";
import type { TracerProvider } from "@opentelemetry/api";

interface InstrumentOptions {
  tracerProvider?: TracerProvider | undefined;
  meterProvider?: MeterProvider | undefined;
  propagator?: TextMapPropagator | undefined;
}

interface Instrumentation extends Disposable {
  disable(): void;
}

declare function instrument(options?: InstrumentOptions): Instrumentation;
