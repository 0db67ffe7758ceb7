import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { createPodCgroup } from "../node/pod-cgroup.js";
import { prepareVolumes } from "../node/prepare-volumes.js";
import { BackOff, retryPauses } from "./back-off.js";
import { createSandbox } from "./creation.js";
import type { RunnerContext } from "./runner-context.js";
import { messageOf } from "./start-failure.js";

/** Creates the sandboxes of a pod, with the volumes and the control group that they need. */
export class SandboxCreator {
  readonly #context: RunnerContext;
  readonly #changed: () => void;
  readonly #retries = new BackOff(retryPauses);
  #retryAt = 0;
  #problem: string | undefined;

  /** @param changed is called after a failure */
  constructor(context: RunnerContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
  }

  /** When the next sandbox may be created, in milliseconds since the epoch. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** Why the last attempt failed; undefined if it did not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Creates a sandbox. Returns whether it succeeded. @throws CriError `CLIENT_CLOSED`; the reason of the signal */
  async create(attempt: number, options: CallOptions & { signal: AbortSignal }): Promise<boolean> {
    const { client, plan, emit, clock } = this.#context;
    let [reason, step] = ["FailedMount", "prepare the node"] as ["FailedMount" | "FailedCreatePodSandBox", string];
    try {
      await prepareVolumes(plan);
      if (plan.cgroup) await createPodCgroup(plan.cgroup);
      [reason, step] = ["FailedCreatePodSandBox", "create pod sandbox"];
      await createSandbox(client.connection, plan.sandbox(attempt), options);
      this.#retries.reset("");
      this.#problem = undefined;
      return true;
    } catch (error) {
      options.signal.throwIfAborted();
      if (CriError.is(error, "CLIENT_CLOSED")) throw error;
      this.#problem = `Failed to ${step}: ${messageOf(error)}`;
      emit(reason, this.#problem);
      const now = clock.now();
      this.#retries.next("", now, now);
      this.#retryAt = this.#retries.readyAt("", now);
      this.#changed();
      return false;
    }
  }
}
