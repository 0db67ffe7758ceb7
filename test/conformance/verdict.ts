/**
 * What the table of known differences makes of journeys and of how they end.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";
import type { KnownDifference } from "./known-differences.js";

/** Which of the journeys of a file are known to differ on a flavour, and what is wrong with the entries. */
export function knownAmong(
  names: readonly string[],
  flavor: FakeFlavor,
  entries: readonly KnownDifference[],
): { known: Map<string, KnownDifference>; complaints: string[] } {
  const known = new Map<string, KnownDifference>();
  const complaints: string[] = [];
  for (const entry of entries.filter(({ flavors }) => flavors?.includes(flavor) ?? true)) {
    for (const pattern of entry.tests) {
      const meant = names.filter((name) => (typeof pattern === "string" ? name === pattern : pattern.test(name)));
      if (meant.length === 0) complaints.push(`${flavor} has no journey ${pattern}`);
      for (const name of meant) {
        if (known.has(name)) complaints.push(`"${name}" is there twice`);
        known.set(name, entry);
      }
    }
  }
  return { known, complaints };
}

/** How a test ended. */
export interface Ending {
  failed: boolean;
  messages: readonly string[];
}

/** What is wrong with the end of a journey that is known to fail with these words; nothing if it did. */
export function complaintAbout({ failed, messages }: Ending, words: RegExp): string | undefined {
  if (!failed) return "the fake has learned this: take the journey out of known-differences.ts";
  if (messages.some((message) => words.test(message))) return undefined;
  return `this is known to fail, but with other words: ${words}`;
}
