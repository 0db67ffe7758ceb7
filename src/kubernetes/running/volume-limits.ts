import { log } from "../../transport/logging.js";
import { findOverfullVolume, hasDiskLimit } from "../node/volume-usage.js";
import type { RunnerContext } from "./runner-context.js";
import { messageOf } from "./start-failure.js";

/** How often the volumes are measured, in milliseconds; the same as by a kubelet. */
const intervalMs = 10_000;

/** Measures the volumes of a pod that have a limit on disk. A pod that exceeds one is evicted, as by a kubelet. */
export class VolumeLimits {
  readonly #context: RunnerContext;
  #nextAt: number;

  constructor(context: RunnerContext) {
    this.#context = context;
    this.#nextAt = context.plan.volumes.some(hasDiskLimit) ? 0 : Number.POSITIVE_INFINITY;
  }

  /** When the volumes have to be measured again, in milliseconds since the epoch. */
  get nextAt(): number {
    return this.#nextAt;
  }

  /** Measures the volumes if it is time. Returns which of them exceeds its limit, for the status of the pod. */
  async exceeded(): Promise<string | undefined> {
    const { client, clock, plan } = this.#context;
    if (clock.now() < this.#nextAt) return undefined;
    this.#nextAt = clock.now() + intervalMs;
    try {
      const found = await findOverfullVolume(plan.volumes);
      if (!found) return undefined;
      const volume = plan.pod.spec.volumes?.find(({ name }) => name === found.name);
      return `Usage of EmptyDir volume "${found.name}" exceeds the limit "${volume?.emptyDir?.sizeLimit}".`;
    } catch (error) {
      const { endpoint, options } = client.connection;
      const fields = { endpoint, pod: plan.pod.metadata.name, error: messageOf(error) };
      log(options.logger, "warn", "the volumes of a pod could not be measured", fields);
      return undefined;
    }
  }
}
