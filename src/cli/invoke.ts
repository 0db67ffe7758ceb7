import { once } from "node:events";
import type { Command } from "commander";
import type { CriClient } from "../client.js";
import type { CommandModule, GlobalOptions, Invocation } from "./command.js";
import { globalOptions } from "./global-options.js";
import { stylesOf } from "./output/styles.js";
import type { Terminal } from "./terminal.js";

/** Runs a command of the program, and closes what it opened. Returns the exit code, if the command decides it. */
export async function invoke(
  module: CommandModule<never>,
  command: Command,
  terminal: Terminal,
): Promise<number | undefined> {
  const { stdout, stderr, signal, env } = terminal;
  const globals = globalOptions(command);
  let client: Promise<CriClient> | undefined;
  const invocation: Invocation = {
    terminal,
    globals,
    styles: stylesOf(stdout, env),
    connect: async () => {
      client ??= connect(globals, signal);
      return (await client).with({ signal });
    },
    print: async (text) => {
      signal.throwIfAborted();
      if (stdout.write(text)) return;
      await once(stdout, "drain", { signal }).catch((error: unknown) => {
        // Otherwise the error of `once` would hide why the command ends.
        signal.throwIfAborted();
        throw error;
      });
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

/** Connects to the endpoint of the options, of the configuration file, or the one that the client finds. */
async function connect(globals: GlobalOptions, signal: AbortSignal): Promise<CriClient> {
  const { CriClient, loadCrictlConfig } = await import("../index.js");
  const { config, endpoint, imageEndpoint, timeout } = globals;
  const file = config === undefined ? undefined : await loadCrictlConfig(config);
  const runtimeEndpoint = endpoint ?? file?.runtimeEndpoint;
  return CriClient.connect({
    ...(runtimeEndpoint !== undefined && { endpoint: runtimeEndpoint }),
    imageEndpoint: imageEndpoint ?? file?.imageEndpoint,
    defaults: { timeoutMs: timeout },
    signal,
  });
}
