import type { Argument, Command, Option } from "commander";
import { connect } from "../connect.js";
import { globalOptions } from "../global-options.js";
import { type Candidate, type LiveKind, liveNames } from "./candidates.js";

/** The time limit for names from the runtime: a person is waiting for the tab key. */
const timeoutMs = 2_000;

/** Loads the arguments and options of a command. */
type Load = (command: Command) => Promise<void>;

/**
 * Returns what the last word of a command line may be completed to.
 *
 * @param words the words after the name of the program; the last one is to be completed, and may be empty
 * @returns nothing if a file may be meant, or if the runtime does not answer
 */
export async function complete(program: Command, words: readonly string[], load: Load): Promise<Candidate[]> {
  const line = await readLine(program, words.slice(0, -1), load);
  const word = words.at(-1) ?? "";
  const [, flag, beginning] = /^(--[^=]+)=(.*)$/.exec(word) ?? [];
  const option = flag === undefined ? line.pending : optionOf(line.command, flag);
  const begun = beginning ?? word;
  const candidates = await candidatesOf(line, option, flag === undefined ? word : "", begun);
  return candidates
    .filter(({ value }) => value.startsWith(begun))
    .map(({ value, description }) => ({ value: flag === undefined ? value : `${flag}=${value}`, description }));
}

/** What the words before the last one mean. */
interface Line {
  readonly program: Command;
  /** The command, or the program if no command is named yet. */
  readonly command: Command;
  /** The option whose value is the next word. */
  readonly pending: Option | undefined;
  /** The number of arguments of the command so far. */
  readonly argumentCount: number;
  /** Whether `--` has ended the options. */
  readonly isVerbatim: boolean;
}

async function readLine(program: Command, words: readonly string[], load: Load): Promise<Line> {
  let line: Line = { program, command: program, pending: undefined, argumentCount: 0, isVerbatim: false };
  for (const word of words) {
    const { command, pending, argumentCount } = line;
    if (pending) {
      command.setOptionValue(pending.attributeName(), pending.parseArg ? undefined : word);
      line = { ...line, pending: undefined };
    } else if (line.isVerbatim) line = { ...line, argumentCount: argumentCount + 1 };
    else if (word === "--") line = { ...line, isVerbatim: true };
    else if (word.startsWith("-") && word !== "-") line = { ...line, pending: pendingOf(command, word) };
    else if (command !== program) line = { ...line, argumentCount: argumentCount + 1 };
    else {
      const named = program.commands.find((one) => one.name() === word || one.aliases().includes(word));
      // A command that does not exist has no arguments.
      if (!named) return { ...line, argumentCount: Number.POSITIVE_INFINITY };
      await load(named);
      line = { ...line, command: named };
    }
  }
  return line;
}

/** Returns the option that a word names, if the next word is its value. */
function pendingOf(command: Command, word: string): Option | undefined {
  const [, flag = word, value] = /^(--[^=]+)=(.*)$/.exec(word) ?? [];
  const option = optionOf(command, flag);
  if (option === undefined || !option.required) return undefined;
  if (value === undefined) return option;
  command.setOptionValue(option.attributeName(), option.parseArg ? undefined : value);
  return undefined;
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

async function candidatesOf(line: Line, option: Option | undefined, word: string, begun: string): Promise<Candidate[]> {
  const { program, command, argumentCount, isVerbatim } = line;
  if (option) return valuesOf(line, option, kindsOfOption(option), begun);
  if (word.startsWith("-") && !isVerbatim)
    return command.options.filter(({ hidden }) => !hidden).map(candidateOfOption);
  if (command === program) {
    if (argumentCount > 0) return [];
    const visible = program.createHelp().visibleCommands(program);
    return visible.map((one) => ({ value: one.name(), description: one.summary() }));
  }
  if (command.name() === "help")
    return program.commands.map((one) => ({ value: one.name(), description: one.summary() }));
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[argumentCount] ?? (last?.variadic ? last : undefined);
  return argument ? valuesOf(line, argument, kindsOfName(argument.name()), begun) : [];
}

function candidateOfOption({ long, short, description }: Option): Candidate {
  return { value: long ?? short ?? "", description };
}

async function valuesOf(
  { command }: Line,
  { argChoices }: Option | Argument,
  kinds: readonly LiveKind[],
  begun: string,
): Promise<Candidate[]> {
  if (argChoices) return argChoices.map((value) => ({ value, description: "" }));
  if (kinds.length === 0) return [];
  try {
    const globals = { ...globalOptions(command), timeout: timeoutMs };
    await using cri = await connect(globals, AbortSignal.timeout(timeoutMs));
    return await liveNames(cri, kinds, begun);
  } catch {
    // Nothing may be printed while the user writes a command.
    return [];
  }
}

/** What an option's value stands for, by the option's name. */
function kindsOfOption(option: Option): LiveKind[] {
  const name = option.attributeName();
  return name === "pod" || name === "namespace" || name === "container" ? [name] : [];
}

/** What an argument stands for, by its name in the help, such as `CONTAINER` or `pod`. `NAME` is a pod or container. */
function kindsOfName(name: string): LiveKind[] {
  const kinds: LiveKind[] = [];
  if (/container|name/i.test(name)) kinds.push("container");
  if (/pod|name/i.test(name)) kinds.push("pod");
  if (/image/i.test(name)) kinds.push("image");
  return kinds;
}
