import { createInterface } from "node:readline/promises";
import { ExitError, type Invocation, UsageError } from "../../command.js";

/**
 * Asks a question on the terminal, and waits for the answer.
 *
 * @throws ExitError unless the answer is yes
 * @throws UsageError if nobody can answer, because the input is no terminal
 */
export async function confirm({ terminal }: Invocation, question: string): Promise<void> {
  const { stdin, stderr, signal } = terminal;
  if (!stdin.isTTY) throw new UsageError("the input is no terminal to confirm on; use --yes or --dry-run");
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    // ctrl-c arrives here, because readline reads keys.
    const interrupted = new Promise<never>((_, reject) => {
      lines.once("SIGINT", () => {
        stderr.write("\n");
        reject(new ExitError("nothing was removed", 130));
      });
      lines.once("close", () => reject(new ExitError("nothing was removed", 1)));
    });
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), interrupted]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new ExitError("nothing was removed", 1);
  } catch (error) {
    // Otherwise the error of `question` would hide why the command ends.
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
