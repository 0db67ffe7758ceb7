import type { CriClient } from "k8s-cri-client";
import { formatUsage, registerClientMetrics } from "k8s-cri-client/prometheus";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The metrics of this process, of its requests to the API server, of its CRI client, and of the runtime's pods. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"code">;
  readonly #reconciliations: Histogram<"result">;
  #cri: CriClient | undefined;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: "node_task_api_requests_total",
      help: "Answers of the API server",
      labelNames: ["code"],
      registers,
    });
    this.#reconciliations = new Histogram({
      name: "node_task_reconcile_seconds",
      help: "Time to bring one task to its state",
      labelNames: ["result"],
      buckets: [0.01, 0.1, 1, 10, 60],
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  readonly answered = (code: number): void => this.#requests.inc({ code: String(code) });

  readonly reconciled = (seconds: number, ok: boolean): void =>
    this.#reconciliations.observe({ result: ok ? "success" : "error" }, seconds);

  /** Adds the metrics of an agent. */
  observe(cri: CriClient, queueLength: () => number): void {
    this.#cri = cri;
    registerClientMetrics(this.#registry);
    new Gauge({
      name: "node_task_queue_length",
      help: "Tasks that wait or are worked on",
      registers: [this.#registry],
      collect() {
        this.set(queueLength());
      },
    });
  }

  /** Returns everything in the text format of Prometheus. The usage of pods is missing while the runtime does not answer. */
  async text(): Promise<string> {
    const usage = await this.#cri?.stats.snapshot({ timeoutMs: 2_000 }).then(formatUsage, () => undefined);
    return `${await this.#registry.metrics()}${usage ?? ""}`;
  }
}
