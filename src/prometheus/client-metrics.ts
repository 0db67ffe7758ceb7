import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { invalid, refuse, typeName } from "../input/check.js";
import { listen, type OperationListener } from "../tracing/listen.js";
import type { AnyOperation, SessionOperation } from "../tracing/operations.js";
import { Histogram, type Metric, Sum } from "./series.js";

/** The registry of prom-client, version 14 or newer. Another registry with these methods also works. */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/** Options of {@link registerClientMetrics}. */
export interface ClientMetricsOptions {
  /** The beginning of the names of all metrics. @defaultValue "cri_client_" */
  prefix?: string | undefined;
}

const clientMetricsFields: FieldsOf<ClientMetricsOptions> = { prefix: true };

/** Ends the recording that {@link registerClientMetrics} started. */
export interface ClientMetrics extends Disposable {
  /** Stops recording, and removes the metrics from the registry. Does nothing the second time. */
  unregister(): void;
}

/**
 * Adds the metrics of all clients in this process to a registry of prom-client, and records them from now on: the duration of
 * calls, attempts, retries, the size of replies, sessions and workflows.
 *
 * ```ts
 * import { registerClientMetrics } from "k8s-cri-client/prometheus";
 * import { Registry } from "prom-client";
 *
 * const registry = new Registry();
 * registerClientMetrics(registry);
 * response.setHeader("content-type", registry.contentType).end(await registry.metrics());
 * ```
 *
 * @throws InvalidInputError for an invalid registry or option; the error of the registry if it already has a metric with one of
 *   the names
 */
export function registerClientMetrics(registry: MetricsRegistry, options: ClientMetricsOptions = {}): ClientMetrics {
  checkOptions(options, clientMetricsFields);
  for (const method of ["registerMetric", "removeSingleMetric"]) {
    if (typeof Object(registry)[method] === "function") continue;
    refuse("registry", `must be a Registry of prom-client, got ${typeName(registry)}`);
  }
  const { prefix = "cri_client_" } = options;
  if (typeof prefix !== "string" || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix)) {
    invalid("prefix", "must begin with a letter and consist of letters, digits and _", prefix);
  }
  const recorder = new Recorder(prefix);
  // The names under which they were registered: for OpenMetrics, the registry changes the name of a counter.
  const registered: string[] = [];
  const remove = () => {
    for (const name of registered.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    for (const metric of recorder.metrics) {
      const { name } = metric;
      registry.registerMetric(metric as never);
      registered.push(name);
    }
  } catch (error) {
    remove();
    throw error;
  }
  const stop = listen(recorder);
  const unregister = () => {
    stop();
    remove();
  };
  return { unregister, [Symbol.dispose]: unregister };
}

/** The bounds of calls, in seconds; the same as those of `k8s-cri-client/otel`. */
const callBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The bounds of sessions and workflows, in seconds. */
const longBounds = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/** Records all operations in metrics. */
class Recorder implements OperationListener {
  readonly #calls: Histogram;
  readonly #attempts: Sum;
  readonly #retries: Sum;
  readonly #received: Sum;
  readonly #activeSessions: Sum;
  readonly #sessions: Histogram;
  readonly #sessionBytes: Sum;
  readonly #workflows: Histogram;

  constructor(prefix: string) {
    const named = (name: string, help: string) => ({ name: `${prefix}${name}`, help });
    this.#calls = new Histogram(callBounds, named("call_duration_seconds", "Duration of calls, retries included."));
    this.#attempts = new Sum("counter", named("attempts_total", "Attempts of calls."));
    this.#retries = new Sum("counter", named("retries_total", "Attempts after the first one of a call."));
    this.#received = new Sum("counter", named("received_bytes_total", "Size of replies, before compression."));
    this.#activeSessions = new Sum("gauge", named("active_sessions", "Sessions that are open or being opened."));
    this.#sessions = new Histogram(longBounds, named("session_duration_seconds", "Duration of sessions."));
    this.#sessionBytes = new Sum("counter", named("session_bytes_total", "Bytes that sessions have carried."));
    this.#workflows = new Histogram(longBounds, named("workflow_duration_seconds", "Duration of workflows."));
  }

  get metrics(): readonly Metric<unknown>[] {
    const rpcs = [this.#calls, this.#attempts, this.#retries, this.#received];
    return [...rpcs, this.#activeSessions, this.#sessions, this.#sessionBytes, this.#workflows] as Metric<unknown>[];
  }

  started(operation: AnyOperation): void {
    if (operation.kind === "session") this.#activeSessions.add(1, sessionLabels(operation));
  }

  ended(operation: AnyOperation): void {
    const { kind, name, endpoint, outcome = "" } = operation;
    const seconds = (operation.durationMs ?? 0) / 1_000;
    if (kind === "call") this.#calls.observe(seconds, { method: name, code: outcome, endpoint });
    else if (kind === "workflow") this.#workflows.observe(seconds, { workflow: name, code: outcome, endpoint });
    else if (kind === "attempt") {
      this.#attempts.add(1, { method: name, code: outcome, endpoint });
      if (operation.attempt > 1) this.#retries.add(1, { method: name, endpoint });
      this.#received.add(operation.receivedBytes, { method: name, endpoint });
    } else this.#sessionEnded(operation, seconds);
  }

  #sessionEnded(session: SessionOperation, seconds: number): void {
    const labels = sessionLabels(session);
    this.#activeSessions.add(-1, labels);
    this.#sessions.observe(seconds, { ...labels, code: session.outcome ?? "" });
    this.#sessionBytes.add(session.sentBytes, { ...labels, direction: "sent" });
    this.#sessionBytes.add(session.receivedBytes, { ...labels, direction: "received" });
  }
}

function sessionLabels({ name, endpoint }: SessionOperation) {
  return { session: name, endpoint };
}
