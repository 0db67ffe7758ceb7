import { errorMessage } from "../internal/error-message.js";
import { forEachSettled } from "../internal/for-each.js";
import type { Invocation } from "./command.js";
import { printable, printableLines } from "./output/table.js";

/** The number of objects to act on at the same time. */
const concurrency = 8;

/**
 * Does something to each object that the user selected, a few at the same time. Prints the name of each object when it is done, and
 * continues after a failure.
 *
 * @returns the exit code: 1 if something failed
 */
export async function forEachSelected<T extends { readonly name: string }>(
  { terminal, print, note }: Invocation,
  selected: readonly T[],
  act: (one: T) => Promise<unknown>,
): Promise<number> {
  const failures = await forEachSettled(selected, concurrency, async (one) => {
    try {
      await act(one);
    } catch (error) {
      terminal.signal.throwIfAborted();
      note(`k8s-cri-client: ${printable(one.name)}: ${printableLines(errorMessage(error))}`);
      throw error;
    }
    await print(`${printable(one.name)}\n`);
  });
  terminal.signal.throwIfAborted();
  return failures.length > 0 ? 1 : 0;
}
