import { CriError, type CriErrorCode } from "../../errors.js";
import { invalid, isSet, refuse, typeName } from "../../input/check.js";

/** Codes that do not concern a single object: the next removal would fail in the same way. */
const fatalCodes: readonly CriErrorCode[] = ["CLIENT_CLOSED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "UNIMPLEMENTED"];

/** Removes objects one by one, and continues after one that the runtime refuses to remove. */
export class Removals<T> {
  readonly removed: T[] = [];
  readonly failed: { object: T; error: CriError }[] = [];
  readonly #dryRun: boolean;

  /** @param dryRun whether to record removals only */
  constructor(dryRun: boolean) {
    this.#dryRun = dryRun;
  }

  /** Removes an object. Returns false if the runtime refused. @throws CriError if the next removal would also fail */
  async remove(object: T, remove: () => Promise<void>): Promise<boolean> {
    try {
      if (!this.#dryRun) await remove();
      this.removed.push(object);
      return true;
    } catch (error) {
      if (!CriError.is(error) || fatalCodes.includes(error.code)) throw error;
      this.failed.push({ object, error });
      return false;
    }
  }
}

/** Checks a number of milliseconds or bytes. Returns `undefined` if not set. */
export function amount(value: unknown, field: string, unit: "milliseconds" | "bytes"): number | undefined {
  if (!isSet(value)) return undefined;
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  return invalid(field, `must be a number of ${unit}`, value);
}

/**
 * Checks a function that decides what to remove. It must return a boolean: a promise, as of an `async` function, would count as
 * true.
 *
 * @throws InvalidInputError
 */
export function predicate<T>(value: (object: T) => boolean, field: string): (object: T) => boolean {
  if (typeof value !== "function") return invalid(field, "must be a function", value);
  return (object) => {
    const decision: unknown = value(object);
    return typeof decision === "boolean"
      ? decision
      : refuse(field, `must return true or false, got ${typeName(decision)}`);
  };
}
