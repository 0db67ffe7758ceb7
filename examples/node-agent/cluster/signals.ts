/** @module */
import { once } from "node:events";

/** The signals that end a program which has started a cluster. */
export const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Resolves with the first signal, and ignores further ones: npm passes on what the terminal has already sent. */
export async function stopSignal(): Promise<NodeJS.Signals> {
  for (const name of signals) process.on(name, () => {});
  const [name] = await Promise.race(signals.map((name) => once(process, name)));
  return name;
}
