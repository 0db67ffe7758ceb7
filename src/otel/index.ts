/**
 * `k8s-cri-client/otel`: spans and metrics for OpenTelemetry. It needs the package `@opentelemetry/api`, version 1.9 or newer, which
 * npm does not install by itself: `npm install @opentelemetry/api`.
 *
 * ```ts
 * import { instrument } from "k8s-cri-client/otel";
 *
 * instrument(); // after the start of your OpenTelemetry SDK
 * ```
 *
 * @module k8s-cri-client/otel
 */
export { type Instrumentation, type InstrumentOptions, instrument } from "./instrument.js";
