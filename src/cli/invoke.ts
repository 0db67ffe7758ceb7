import { once } from "node:events";
import type { Command } from "commander";
import type { CriClient } from "../client.js";
import type { CommandModule, Invocation } from "./command.js";
import { globalOptions } from "./global-options.js";
import { stylesOf } from "./output/styles.js";
import type { Output, Terminal } from "./terminal.js";

/** Runs a command of the program, and closes what it opened. Returns the exit code, if the command decides it. */
export async function invoke(
  module: CommandModule<never>,
  command: Command,
  terminal: Terminal,
): Promise<number | undefined> {
  const { stdout, stderr, signal, env } = terminal;
  const globals = globalOptions(command);
  let client: Promise<CriClient> | undefined;
  let drained: Promise<void> | undefined;
  const invocation: Invocation = {
    terminal,
    globals,
    styles: stylesOf(stdout, env),
    connect: async () => {
      // Commands that need no runtime do not load the client.
      client ??= import("./connect.js").then(({ connect }) => connect(globals, signal));
      return (await client).with({ signal });
    },
    print: async (text) => {
      signal.throwIfAborted();
      if (stdout.write(text)) return;
      // All callers that wait share one listener.
      drained ??= untilDrained(stdout, signal).finally(() => {
        drained = undefined;
      });
      await drained;
    },
    note: (line) => void stderr.write(`${line}\n`),
  };
  try {
    return (await module.run(invocation, command.args, command.opts() as never)) ?? undefined;
  } finally {
    const cri = await client?.catch(() => undefined);
    await cri?.close();
  }
}

async function untilDrained(stdout: Output, signal: AbortSignal): Promise<void> {
  try {
    await once(stdout, "drain", { signal });
  } catch (error) {
    // Otherwise the error of `once` would hide why the command ends.
    signal.throwIfAborted();
    throw error;
  }
}
