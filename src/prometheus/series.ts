type Labels = Readonly<Record<string, string>>;

/** A value of a metric, in the form that `registry.metrics()` of prom-client reads. */
interface Value {
  readonly metricName: string;
  readonly labels: Labels & { le?: string };
  readonly value: number;
}

/** What the series of a metric have in common. */
interface Description {
  readonly name: string;
  readonly help: string;
}

/**
 * A metric for the registry of prom-client. The registry calls only these members, so that the package does not depend on
 * prom-client.
 */
export abstract class Metric<State> {
  abstract readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  /** How the registry of a cluster combines the values of its workers. */
  readonly aggregator = "sum";
  readonly collect = undefined;
  readonly #series = new Map<string, { readonly labels: Labels; state: State }>();

  constructor({ name, help }: Description) {
    this.name = name;
    this.help = help;
  }

  /** Returns the metric with its values, as the registry reads it. */
  async get() {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series.values()].flatMap(({ labels, state }) => this.values(labels, state));
    return { name, help, type, aggregator, values };
  }

  /** Forgets all series, for `registry.resetMetrics()`. */
  reset(): void {
    this.#series.clear();
  }

  /** Changes the series with these labels, which begins with the initial state. */
  protected update(labels: Labels, initial: () => State, change: (state: State) => State): void {
    const key = JSON.stringify(labels);
    const series = this.#series.get(key) ?? { labels, state: initial() };
    this.#series.set(key, series);
    series.state = change(series.state);
  }

  protected abstract values(labels: Labels, state: State): Value[];
}

/** A number that is added to. A counter never decreases. */
export class Sum extends Metric<number> {
  readonly type: "counter" | "gauge";

  constructor(type: "counter" | "gauge", description: Description) {
    super(description);
    this.type = type;
  }

  add(amount: number, labels: Labels): void {
    this.update(
      labels,
      () => 0,
      (sum) => sum + amount,
    );
  }

  protected values(labels: Labels, value: number): Value[] {
    return [{ metricName: this.name, labels, value }];
  }
}

interface Observations {
  /** The number of observations in each bucket, the last one without a bound. */
  readonly counts: number[];
  readonly sum: number;
}

/** Counts observations in buckets. */
export class Histogram extends Metric<Observations> {
  readonly type = "histogram";
  readonly #bounds: readonly number[];

  /** @param bounds the upper bounds of the buckets, in ascending order */
  constructor(bounds: readonly number[], description: Description) {
    super(description);
    this.#bounds = bounds;
  }

  observe(value: number, labels: Labels): void {
    const index = this.#bounds.findIndex((bound) => value <= bound);
    const empty = () => ({ counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 });
    this.update(labels, empty, ({ counts, sum }) => {
      counts[index === -1 ? this.#bounds.length : index]!++;
      return { counts, sum: sum + value };
    });
  }

  protected values(labels: Labels, { counts, sum }: Observations): Value[] {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      const le = String(this.#bounds[index] ?? "+Inf");
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}
