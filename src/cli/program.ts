import { Command, CommanderError } from "commander";
import { packageVersion } from "../internal/package-version.js";
import { type CommandModule, UsageError } from "./command.js";
import { type CommandEntry, commands } from "./commands.js";
import { completeArgument } from "./completion/scripts.js";
import { exitCodeOf } from "./failures.js";
import { addCrictlSpellings, addGlobalOptions } from "./global-options.js";
import { invoke } from "./invoke.js";
import { colorOf } from "./output/styles.js";
import { printable } from "./output/table.js";
import type { Terminal } from "./terminal.js";

/** Runs a command line and returns the exit code. Never rejects. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    if (args[0] === completeArgument) return await printCandidates(program, args.slice(1), terminal);
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed its own errors and help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return exitCodeOf(error, terminal);
  }
}

/** Builds the program with all commands. Only the command that is used is loaded: the others have a name and a summary. */
export function buildProgram(terminal: Terminal, onExit: (exitCode: number) => void = () => {}): Command {
  const program = new Command("k8s-cri-client");
  program
    .description("Runs and inspects pods and containers of this node, through the Container Runtime Interface (CRI).")
    .usage("[options] COMMAND")
    // A command may pass options on to a program in a container.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("Run with --help for the list of arguments and options.")
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      getOutHelpWidth: () => Math.min(terminal.stdout.columns ?? 80, 120),
      getErrHelpWidth: () => Math.min(terminal.stderr.columns ?? 80, 120),
      getOutHasColors: () => colorOf(terminal.stdout, terminal.env),
      getErrHasColors: () => colorOf(terminal.stderr, terminal.env),
    });
  program.helpCommand("help [COMMAND]", "show the help of a command").helpOption("-h, --help", "show this help");
  program.option("-V, --version", "print the version of this command").on("option:version", () => {
    terminal.stdout.write(`${packageVersion}\n`);
    throw new CommanderError(0, "commander.version", "version");
  });
  addGlobalOptions(program);
  addCrictlSpellings(program);
  for (const entry of commands) program.addCommand(stub(program, entry, terminal, onExit));
  program.hook("preSubcommand", (_, command) => loadInto(command));
  return program;
}

/** The entries of the commands that were created from them. */
const entries = new WeakMap<Command, CommandEntry>();
const modules = new WeakMap<Command, CommandModule<never>>();

function stub(program: Command, entry: CommandEntry, terminal: Terminal, onExit: (exitCode: number) => void): Command {
  const command = program.createCommand(entry.name).copyInheritedSettings(program);
  command
    .summary(entry.summary)
    .aliases(entry.aliases ?? [])
    .helpGroup(`${entry.group}:`);
  entries.set(command, entry);
  command.action(async () => {
    const module = modules.get(command);
    if (module === undefined) throw new UsageError(`the command ${entry.name} was not loaded`);
    const exitCode = await invoke(module, command, terminal);
    if (exitCode !== undefined) onExit(exitCode);
  });
  return command;
}

/** Loads the module of a command and adds its arguments and options. */
export async function loadInto(command: Command): Promise<void> {
  const entry = entries.get(command);
  if (entry === undefined || modules.has(command)) return;
  const module = await entry.load();
  modules.set(command, module);
  module.define(command);
  addGlobalOptions(command);
}

/** Prints what the last word of a command line may be completed to, one candidate a line with its description after a tab. */
async function printCandidates(program: Command, words: readonly string[], { stdout }: Terminal): Promise<number> {
  const { complete } = await import("./completion/complete.js");
  const candidates = await complete(program, words, loadInto);
  const lines = candidates.map(({ value, description }) => `${printable(value)}\t${printable(description)}\n`);
  stdout.write(lines.join(""));
  return 0;
}
