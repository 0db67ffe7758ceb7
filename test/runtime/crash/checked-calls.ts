/**
 * Calls to a runtime that may be killed at any moment: each is timed, what it fails with is judged, and what is sure to have
 * done nothing is held to it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type CriClient, CriError } from "k8s-cri-client";
import type { Random } from "../helpers/random.js";

/** What every call is given: far more than it takes, also on a slow machine and across a restart of the runtime. */
const timeoutMs = 60_000;

/**
 * What a call may take beyond that: a workflow that fails undoes what it made, which has 15 seconds, a creation looks for what it
 * may have made, which has two, and the machine is slow.
 */
const overrunMs = 25_000;

/** How often something is tried before it counts as failed for good. A runtime that is killed once needs two or three. */
const patience = 6;

/** What a failure may be when the runtime is killed under a call, or has not found its feet yet. */
const expectedCodes = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "INTERNAL",
  "UNKNOWN",
  "NOT_FOUND",
  "FAILED_PRECONDITION",
  "NAME_RESERVED",
] as const satisfies CriError["code"][];

/** What happened to all lives of a round. */
export class Chronicle {
  /** Answers that were wrong. */
  readonly wrong: string[] = [];
  /** How often which step ended how, such as `exec UNAVAILABLE`. */
  readonly outcomes = new Map<string, number>();
  /** Names of pods that may have been made without anyone knowing. */
  readonly doubtful = new Set<string>();
  /** Whether the runtime has been killed. */
  killed = false;
  /** Pods and containers that did not survive that, although nobody touched them; and the runtime says so. */
  lost = 0;
  calls = 0;
  slowestMs = 0;
}

type Call<T> = (options: { timeoutMs: number }) => Promise<T>;

/** The calls of one life. */
export class CheckedCalls {
  /** What is being done at the moment. */
  step = "not begun";
  readonly #history: string[] = [];

  constructor(
    private readonly name: string,
    private readonly cri: CriClient,
    readonly chronicle: Chronicle,
    private readonly random: Random,
  ) {}

  /** One call: it settles in time. */
  async once<T>(step: string, call: Call<T>): Promise<T> {
    this.step = step;
    this.chronicle.calls++;
    const startedAt = performance.now();
    try {
      const result = await call({ timeoutMs });
      this.note(step, "OK");
      return result;
    } catch (error) {
      this.note(step, error);
      throw error;
    } finally {
      const tookMs = performance.now() - startedAt;
      this.chronicle.slowestMs = Math.max(this.chronicle.slowestMs, tookMs);
      if (tookMs > timeoutMs + overrunMs) this.complain(`${step} took ${Math.round(tookMs)} ms`);
    }
  }

  /**
   * A call that may be repeated, until it succeeds.
   *
   * @param untouched whether what it was to change is as it was: it has to be where the error says so
   */
  async insist<T>(step: string, call: Call<T>, untouched?: () => Promise<boolean>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(step, call);
      } catch (error) {
        await this.recover(error, attempt);
        if (untouched && CriError.is(error) && !error.mayHaveTakenEffect && !(await untouched()))
          this.complain(`"nothing was done", but it was: ${error}`);
      }
    }
  }

  /** What a program does after a failure: it waits until the runtime is there again. Throws what is no failure of a dying runtime. */
  async recover(error: unknown, attempt: number): Promise<void> {
    if (!CriError.is(error, ...expectedCodes) || attempt >= patience) throw error;
    await this.cri.waitForReady({ timeoutMs });
    await sleep(this.random.below(200));
  }

  note(step: string, outcome: unknown): void {
    const { outcomes } = this.chronicle;
    const word = CriError.is(outcome) ? outcome.code : outcome instanceof Error ? outcome.name : String(outcome);
    outcomes.set(`${step} ${word}`, (outcomes.get(`${step} ${word}`) ?? 0) + 1);
    const doubt = CriError.is(outcome) && outcome.mayHaveTakenEffect ? " (in doubt)" : "";
    const suppressed = CriError.is(outcome) ? outcome.suppressed.map((error) => `; suppressed: ${error}`).join("") : "";
    this.#history.push(`${new Date().toISOString().slice(14, 23)} ${step}: ${outcome}${doubt}${suppressed}`);
  }

  complain(text: string): void {
    this.chronicle.wrong.push([`${this.name}: ${text}`, ...this.#history.slice(-12)].join("\n    "));
  }
}
