import { randomInt } from "node:crypto";
import { type GrpcErrorCode, InvalidInputError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { checkRpcName, type RpcName } from "../rpcs.js";
import { sha256 } from "../state/ids.js";
import { checkCode, checkMs, type Fault, type FaultAction, failure, type InjectedFault, phasesOf } from "./fault.js";

/** The kinds of faults that chaos injects. */
export type ChaosKind = "fail" | "delay" | "drop" | "hang" | "restart";

/** Options of {@link FakeRuntime.startChaos}. Every field is optional. */
export interface ChaosOptions {
  /** Determines which calls get which faults: the same seed gives the same faults. @defaultValue a random number */
  seed?: string | number | undefined;
  /** The share of calls that get a fault, from 0 to 1. @defaultValue 0.2 */
  rate?: number | undefined;
  /**
   * The kinds of faults. A `hang` delays the reply, even past the deadline. A `restart` kills the whole runtime and starts it
   * again with its state. @defaultValue `["fail", "delay", "drop"]`
   */
  kinds?: readonly ChaosKind[] | undefined;
  /** The RPCs that may get faults. @defaultValue all */
  rpcs?: readonly RpcName[] | undefined;
  /**
   * The codes of failures. After the effect, only UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED and CANCELLED are used. On real
   * runtimes, the other codes mean that the request was rejected, so they are used before or during the effect only.
   *
   * @defaultValue `["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN"]`
   */
  codes?: readonly GrpcErrorCode[] | undefined;
  /** The longest delay, in milliseconds. @defaultValue 50 */
  maxDelayMs?: number | undefined;
  /** The longest hang, in milliseconds. The call then continues if the client still waits. @defaultValue 1000 */
  maxHangMs?: number | undefined;
  /** The longest time for which a restart keeps the runtime down, in milliseconds. @defaultValue 50 */
  maxDownMs?: number | undefined;
}

const chaosFields: FieldsOf<ChaosOptions> = {
  seed: true,
  rate: true,
  kinds: true,
  rpcs: true,
  codes: true,
  maxDelayMs: true,
  maxHangMs: true,
  maxDownMs: true,
};

/** A fault that chaos injected into a call. */
export interface ChaosFault extends InjectedFault {
  readonly rpc: RpcName;
  /** The number of the call among those of its RPC, counted from 1 since the chaos began. */
  readonly ordinal: number;
}

/** Codes that can mean that the reply was lost. They are also used after the effect. */
const lostReplyCodes: readonly GrpcErrorCode[] = ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED"];

const kinds: readonly ChaosKind[] = ["fail", "delay", "drop", "hang", "restart"];

/** Kills the runtime, and starts it again after `downMs`, or as soon as the signal aborts. */
export type RestartAfter = (downMs: number, signal: AbortSignal) => Promise<void>;

/**
 * Injects random faults; {@link FakeRuntime.startChaos} creates it. The fault of a call depends only on the seed, its RPC and its
 * number among the calls of that RPC, so the order of calls of different RPCs does not matter.
 *
 * Chaos continues until it or the runtime is stopped.
 */
export class Chaos implements Disposable, AsyncDisposable {
  /** Pass this seed again to repeat the faults. The error message of every failure contains it. */
  readonly seed: string | number;
  readonly #options: ReturnType<typeof withDefaults>;
  readonly #restart: RestartAfter;
  readonly #ordinals = new Map<RpcName, number>();
  readonly #faults: ChaosFault[] = [];
  readonly #stopping = new AbortController();
  #restarting: Promise<void> | undefined;

  /** @internal */
  constructor(options: ChaosOptions, restart: RestartAfter) {
    checkOptions(options, chaosFields);
    this.seed = options.seed ?? randomInt(2 ** 32);
    this.#options = withDefaults(options);
    this.#restart = restart;
  }

  /** The faults injected so far. */
  get faults(): readonly ChaosFault[] {
    return this.#faults;
  }

  /** Whether this chaos still injects faults. */
  get active(): boolean {
    return !this.#stopping.signal.aborted;
  }

  /**
   * Stops injecting faults. If a restart is in progress, starts the runtime at once and resolves when it is up. Faults that were
   * already injected run to their end.
   */
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
   * Counts a call, and returns the fault to inject, if any.
   *
   * @internal
   */
  decide(rpc: RpcName): Fault | undefined {
    const { rate, rpcs, kinds } = this.#options;
    if (!this.active || rpcs?.includes(rpc) === false) return undefined;
    const ordinal = (this.#ordinals.get(rpc) ?? 0) + 1;
    this.#ordinals.set(rpc, ordinal);
    const random = new SeededRandom(`${this.seed}:${rpc}:${ordinal}`);
    if (random.next() >= rate) return undefined;
    const action = this.#choose(random.pick(kinds), random, `${rpc} ${ordinal}`);
    const mayFollowEffect = action.kind !== "fail" || lostReplyCodes.includes(action.code);
    const phase = random.pick(phasesOf(rpc).filter((candidate) => mayFollowEffect || candidate !== "afterEffect"));
    return {
      phase,
      action,
      origin: "chaos",
      onInjected: (injected) => this.#faults.push({ rpc, ordinal, ...injected }),
    };
  }

  #choose(kind: ChaosKind, random: SeededRandom, call: string): FaultAction {
    const { codes, maxDelayMs, maxHangMs, maxDownMs } = this.#options;
    switch (kind) {
      case "fail": {
        const code = random.pick(codes);
        return failure({ code, message: `${code} by chaos with seed ${JSON.stringify(this.seed)} (${call})` });
      }
      case "delay":
        return { kind, ms: random.upTo(maxDelayMs) };
      case "drop":
        return { kind };
      case "hang":
        return { kind, ms: random.upTo(maxHangMs) };
      case "restart": {
        const ms = random.upTo(maxDownMs);
        return { kind, ms, restart: () => this.#restartOnce(ms) };
      }
    }
  }

  /** Restarts the runtime, unless a restart is in progress. */
  #restartOnce(ms: number): void {
    this.#restarting ??= this.#restart(ms, this.#stopping.signal).finally(() => {
      this.#restarting = undefined;
    });
  }
}

/** Generates a few random numbers from a seed. */
class SeededRandom {
  #digits: string;

  constructor(seed: string) {
    this.#digits = sha256(seed);
  }

  /** Returns a number from 0 up to, but not including, 1. */
  next(): number {
    const digits = this.#digits.slice(0, 8);
    this.#digits = this.#digits.slice(8);
    return Number.parseInt(digits, 16) / 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** Returns an integer from 0 to a limit. */
  upTo(limit: number): number {
    return Math.floor(this.next() * (limit + 1));
  }
}

function withDefaults(options: ChaosOptions) {
  return {
    rate: checkRate(options.rate ?? 0.2),
    kinds: checkKinds(options.kinds ?? ["fail", "delay", "drop"]),
    rpcs: options.rpcs?.map((name) => checkRpcName(name, "rpcs")),
    codes: checkCodes(
      options.codes ?? ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN"],
    ),
    maxDelayMs: checkMs(options.maxDelayMs ?? 50, "maxDelayMs"),
    maxHangMs: checkMs(options.maxHangMs ?? 1_000, "maxHangMs"),
    maxDownMs: checkMs(options.maxDownMs ?? 50, "maxDownMs"),
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
    message: `expected one or more of ${kinds.join(", ")}`,
    value: wrong ?? given,
  });
}

function checkCodes(given: readonly GrpcErrorCode[]): readonly GrpcErrorCode[] {
  for (const code of given) checkCode(code, "codes");
  if (given.length > 0) return given;
  throw new InvalidInputError({ field: "codes", message: "expected one or more codes", value: given });
}
