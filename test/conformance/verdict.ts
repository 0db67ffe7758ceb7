/**
 * Compares the journeys and their outcomes with the table of known differences.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";
import type { KnownDifference } from "./known-differences.js";

/** Finds the journeys of a file that are known to differ on a flavour, and the entries that match none or match one twice. */
export function matchDifferences(
  names: readonly string[],
  flavor: FakeFlavor,
  entries: readonly KnownDifference[],
): { known: Map<string, KnownDifference>; problems: string[] } {
  const known = new Map<string, KnownDifference>();
  const problems: string[] = [];
  for (const entry of entries.filter(({ flavors }) => flavors?.includes(flavor) ?? true)) {
    for (const pattern of entry.tests) {
      const matches = names.filter((name) => (typeof pattern === "string" ? name === pattern : pattern.test(name)));
      if (matches.length === 0) problems.push(`${flavor} has no journey ${pattern}`);
      for (const name of matches) {
        if (known.has(name)) problems.push(`two entries match "${name}"`);
        known.set(name, entry);
      }
    }
  }
  return { known, problems };
}

/** The outcome of a test, with its error messages. */
export interface Outcome {
  failed: boolean;
  messages: readonly string[];
}

/** Returns what is wrong with the outcome of a journey that must fail with a matching error message; otherwise `undefined`. */
export function problemWith({ failed, messages }: Outcome, pattern: RegExp): string | undefined {
  if (!failed) return "this journey now passes on the fake: remove it from known-differences.ts";
  if (messages.some((message) => pattern.test(message))) return undefined;
  return `this journey must fail with a message that matches ${pattern}, but failed with another one`;
}
