/** What may listen to the operations of a client, in the measured process. */
import { tracingChannel } from "node:diagnostics_channel";
import { metrics, type TracerProvider } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { instrument } from "k8s-cri-client/otel";
import { registerClientMetrics } from "k8s-cri-client/prometheus";
import { Registry } from "prom-client";

/** Starts each kind of listener. */
export const listeners: Readonly<Record<string, () => void>> = {
  none: () => {},
  subscriber: () => {
    for (const kind of ["call", "attempt", "session", "workflow"]) {
      tracingChannel(`k8s-cri-client:${kind}`).asyncEnd.subscribe(() => {});
    }
  },
  prometheus: () => void registerClientMetrics(new Registry()),
  otel: () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider: TracerProvider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    instrument({ tracerProvider, meterProvider: metrics.getMeterProvider() });
    setInterval(() => exporter.reset(), 10).unref();
  },
};
