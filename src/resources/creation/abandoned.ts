import type { CreationMark } from "./creation-mark.js";

/** The state of an object that a failed creation left behind: usable, or half removed because its removal has begun. */
export type Leftover = "usable" | "half removed";

/** A creation that failed although the runtime may have created its object. */
interface Abandoned {
  readonly hash: string;
  readonly leftover: Leftover;
}

/**
 * The abandoned creations of this process, by nonce. If the object of one appears later, the next creation with the same name takes
 * it over, or removes it if its removal has begun.
 */
const abandoned = new Map<string, Abandoned>();
const maxAbandoned = 10_000;

/** Leaves the object of a creation, if there is one, to the next creation with the same name. */
export function abandon(mark: CreationMark, leftover: Leftover): void {
  abandoned.set(mark.nonce, { hash: mark.hash, leftover });
  const [oldest] = abandoned.keys();
  if (abandoned.size > maxAbandoned && oldest !== undefined) abandoned.delete(oldest);
}

/** Returns the state in which an abandoned creation left its object; undefined if no creation with this mark was abandoned. */
export function leftoverOf(mark: CreationMark | undefined): Leftover | undefined {
  return mark && abandoned.get(mark.nonce)?.leftover;
}

/** Returns whether a creation from the same configuration was abandoned. */
export function wasAbandonedBefore({ hash }: CreationMark): boolean {
  return [...abandoned.values()].some((one) => one.hash === hash);
}

/** Forgets an abandoned creation, because a later creation has taken its object over. */
export function forgetAbandoned(mark: CreationMark | undefined): void {
  if (mark) abandoned.delete(mark.nonce);
}
