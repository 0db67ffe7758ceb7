import type { CreationMark } from "./creation-mark.js";

/** The state in which a creation left an object behind: as the runtime made it, or with its removal begun. */
export type Leftover = "usable" | "half removed";

/** A creation that was given up although the runtime may have made an object. */
interface Abandoned {
  readonly hash: string;
  readonly left: Leftover;
}

/**
 * The creations of this process that were given up in doubt, by nonce. If an object of one appears later, the next creation of the same
 * name adopts it, or removes it if its removal has begun.
 */
const abandoned = new Map<string, Abandoned>();
const maxAbandoned = 10_000;

/** Leaves what a creation may have made to the next creation of the same name. */
export function abandon(mark: CreationMark, left: Leftover): void {
  abandoned.set(mark.nonce, { hash: mark.hash, left });
  const [oldest] = abandoned.keys();
  if (abandoned.size > maxAbandoned && oldest !== undefined) abandoned.delete(oldest);
}

/** What an abandoned creation left; undefined if no creation with this mark was abandoned. */
export function leftBy(mark: CreationMark | undefined): Leftover | undefined {
  return mark && abandoned.get(mark.nonce)?.left;
}

/** Whether a creation from the same configuration was abandoned. */
export function wasAbandonedBefore({ hash }: CreationMark): boolean {
  return [...abandoned.values()].some((one) => one.hash === hash);
}

/** Forgets an abandoned creation whose object has an owner again. */
export function reclaim(mark: CreationMark | undefined): void {
  if (mark) abandoned.delete(mark.nonce);
}
