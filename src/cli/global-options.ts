import { type Command, Option } from "commander";
import type { GlobalOptions } from "./command.js";
import { duration } from "./values.js";

/** Adds the options that each command has. They may stand before or after the name of the command. */
export function addGlobalOptions(command: Command): void {
  command
    .optionsGroup("Options of all commands:")
    .option("-e, --endpoint <address>", "where the runtime listens, such as unix:///run/containerd/containerd.sock")
    .option("--image-endpoint <address>", "where the image service listens, if not at the runtime's endpoint")
    .option("--config <file>", "a configuration file of crictl with endpoints")
    .option("--timeout <duration>", "the time limit of each call, such as 10s or 2m", duration);
}

/** Adds the spellings of crictl. They stand before the name of the command, where crictl has them. */
export function addCrictlSpellings(program: Command): void {
  program
    .addOption(new Option("-r, --runtime-endpoint <address>").hideHelp())
    .addOption(new Option("-i <address>").hideHelp())
    .addOption(new Option("-t <duration>").argParser(duration).hideHelp());
}

/** Returns the options of all commands, from before and after the name of the command. The latter win. */
export function globalOptions(command: Command): GlobalOptions {
  const { runtimeEndpoint, i, t, ...before } = command.parent?.opts() ?? {};
  const crictl = { endpoint: runtimeEndpoint, imageEndpoint: i, timeout: t };
  const { endpoint, imageEndpoint, config, timeout }: GlobalOptions = { ...crictl, ...before, ...command.opts() };
  return { endpoint, imageEndpoint, config, timeout };
}
