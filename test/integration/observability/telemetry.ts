import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { onTestFinished } from "vitest";

/** Creates SDKs that keep spans and metrics in memory, and shuts them down when the test has finished. */
export function telemetryInMemory() {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter });
  const meterProvider = new MeterProvider({ readers: [reader] });
  onTestFinished(async () => {
    await tracerProvider.shutdown();
    await meterProvider.shutdown();
  });
  /** Returns all metrics as they are now. */
  const metrics = async () => {
    exporter.reset();
    await reader.forceFlush();
    return exporter.getMetrics();
  };
  /** Returns the points of a metric as they are now. */
  const points = async (name: string) => {
    const all = (await metrics()).flatMap((one) => one.scopeMetrics.flatMap((scope) => scope.metrics));
    return all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  };
  return { providers: { tracerProvider, meterProvider }, spans, metrics, points };
}
