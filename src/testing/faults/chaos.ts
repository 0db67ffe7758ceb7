import { randomInt } from "node:crypto";
import { type GrpcErrorCode, InvalidInputError } from "../../errors.js";
import { checkRpcName, type RpcName } from "../rpcs.js";
import { sha256 } from "../state/ids.js";
import { checkCode, checkMs, type Fault, type FaultAction, failure, phasesOf, type StruckFault } from "./fault.js";

/** The kinds of faults that chaos knows. */
export type ChaosKind = "fail" | "delay" | "drop" | "hang" | "restart";

/** How {@link FakeRuntime.startChaos} is to go about it. Every field is optional. */
export interface ChaosOptions {
  /** Decides which calls are struck, and how: the same again for the same seed. @defaultValue another one every time */
  seed?: string | number | undefined;
  /** The share of calls that are struck, from 0 to 1. @defaultValue 0.2 */
  rate?: number | undefined;
  /**
   * What may strike. A `hang` gives no answer for a while, past the deadline too; a `restart` has the whole runtime killed and
   * started again, with its state. @defaultValue `["fail", "delay", "drop"]`
   */
  kinds?: readonly ChaosKind[] | undefined;
  /** The RPCs that may be struck. @defaultValue all */
  rpcs?: readonly RpcName[] | undefined;
  /**
   * What calls fail with. A code with which a runtime says no comes before the effect or during it, as real ones have it; only
   * UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED and CANCELLED come after it too.
   *
   * @defaultValue `["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN"]`
   */
  codes?: readonly GrpcErrorCode[] | undefined;
  /** The longest delay, in milliseconds. @defaultValue 50 */
  maxDelayMs?: number | undefined;
  /** How long a hang may last; the call goes on after that, if somebody waits yet. @defaultValue 1000 */
  maxHangMs?: number | undefined;
  /** The longest time that a restart takes the runtime away for. @defaultValue 50 */
  maxAwayMs?: number | undefined;
}

/** A call that was struck. */
export interface ChaosStrike extends StruckFault {
  readonly rpc: RpcName;
  /** Which call of its RPC it was, counted from 1 since the chaos began. */
  readonly ordinal: number;
}

/** Codes that may stand for an answer that was lost on its way, whatever the runtime had to say. */
const lostAnswers: readonly GrpcErrorCode[] = ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED"];

const kinds: readonly ChaosKind[] = ["fail", "delay", "drop", "hang", "restart"];

/** Kills the runtime, and starts it again after so many milliseconds, or as soon as the signal aborts. */
export type RestartAfter = (awayMs: number, signal: AbortSignal) => Promise<void>;

/**
 * Faults by chance, as {@link FakeRuntime.startChaos} starts them. Whether and how a call is struck depends on the seed, its RPC
 * and its number among the calls of that RPC, and on nothing else: calls of other RPCs may come in any order.
 *
 * Goes on until it or the runtime is stopped.
 */
export class Chaos implements Disposable, AsyncDisposable {
  /** To be given again, to see the same again. It is in the message of every failure as well. */
  readonly seed: string | number;
  readonly #options: ReturnType<typeof checkOptions>;
  readonly #restart: RestartAfter;
  readonly #ordinals = new Map<RpcName, number>();
  readonly #strikes: ChaosStrike[] = [];
  readonly #stopping = new AbortController();
  #restarting: Promise<void> | undefined;

  /** @internal */
  constructor(options: ChaosOptions, restart: RestartAfter) {
    this.seed = options.seed ?? randomInt(2 ** 32);
    this.#options = checkOptions(options);
    this.#restart = restart;
  }

  /** What it has done so far. */
  get strikes(): readonly ChaosStrike[] {
    return this.#strikes;
  }

  /** Whether it goes on. */
  get active(): boolean {
    return !this.#stopping.signal.aborted;
  }

  /** Strikes no further calls, and brings the runtime back if it is away; resolves when that is done. What has struck takes its course. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#restarting;
  }

  [Symbol.dispose](): void {
    void this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * The fate of a call, which has been counted by that.
   *
   * @internal
   */
  decide(rpc: RpcName): Fault | undefined {
    const { rate, rpcs, kinds } = this.#options;
    if (!this.active || rpcs?.includes(rpc) === false) return undefined;
    const ordinal = (this.#ordinals.get(rpc) ?? 0) + 1;
    this.#ordinals.set(rpc, ordinal);
    const dice = new Dice(`${this.seed}:${rpc}:${ordinal}`);
    if (dice.next() >= rate) return undefined;
    const action = this.#choose(dice.pick(kinds), dice, `${rpc} ${ordinal}`);
    const late = action.kind !== "fail" || lostAnswers.includes(action.code);
    const phase = dice.pick(phasesOf(rpc).filter((candidate) => late || candidate !== "afterEffect"));
    return {
      phase,
      action,
      origin: "chaos",
      onStruck: (struck) => this.#strikes.push({ rpc, ordinal, ...struck }),
    };
  }

  #choose(kind: ChaosKind, dice: Dice, which: string): FaultAction {
    const { codes, maxDelayMs, maxHangMs, maxAwayMs } = this.#options;
    switch (kind) {
      case "fail": {
        const code = dice.pick(codes);
        return failure({ code, message: `${code} by chaos with seed ${JSON.stringify(this.seed)} (${which})` });
      }
      case "delay":
        return { kind, ms: dice.upTo(maxDelayMs) };
      case "drop":
        return { kind };
      case "hang":
        return { kind, ms: dice.upTo(maxHangMs) };
      case "restart": {
        const ms = dice.upTo(maxAwayMs);
        return { kind, ms, restart: () => this.#takeAway(ms) };
      }
    }
  }

  /** What is away cannot go away. */
  #takeAway(ms: number): void {
    this.#restarting ??= this.#restart(ms, this.#stopping.signal).finally(() => {
      this.#restarting = undefined;
    });
  }
}

/** A few random numbers that depend on a text. */
class Dice {
  #digits: string;

  constructor(text: string) {
    this.#digits = sha256(text);
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    const digits = this.#digits.slice(0, 8);
    this.#digits = this.#digits.slice(8);
    return Number.parseInt(digits, 16) / 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** A whole number from 0 to a limit. */
  upTo(limit: number): number {
    return Math.floor(this.next() * (limit + 1));
  }
}

function checkOptions(options: ChaosOptions) {
  return {
    rate: checkRate(options.rate ?? 0.2),
    kinds: checkKinds(options.kinds ?? ["fail", "delay", "drop"]),
    rpcs: options.rpcs?.map((name) => checkRpcName(name, "rpcs")),
    codes: checkCodes(
      options.codes ?? ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN"],
    ),
    maxDelayMs: checkMs(options.maxDelayMs ?? 50, "maxDelayMs"),
    maxHangMs: checkMs(options.maxHangMs ?? 1_000, "maxHangMs"),
    maxAwayMs: checkMs(options.maxAwayMs ?? 50, "maxAwayMs"),
  };
}

function checkRate(rate: number): number {
  if (rate >= 0 && rate <= 1) return rate;
  throw new InvalidInputError({ field: "rate", message: "expected a share from 0 to 1", value: rate });
}

function checkKinds(given: readonly ChaosKind[]): readonly ChaosKind[] {
  const wrong = given.find((kind) => !kinds.includes(kind));
  if (given.length > 0 && wrong === undefined) return given;
  throw new InvalidInputError({
    field: "kinds",
    message: `expected some of ${kinds.join(", ")}`,
    value: wrong ?? given,
  });
}

function checkCodes(given: readonly GrpcErrorCode[]): readonly GrpcErrorCode[] {
  for (const code of given) checkCode(code, "codes");
  if (given.length > 0) return given;
  throw new InvalidInputError({ field: "codes", message: "expected one code or more", value: given });
}
