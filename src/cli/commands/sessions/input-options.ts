import { type Command, InvalidArgumentError } from "commander";
import { errorMessage } from "../../../internal/error-message.js";
import { parseDetachKeys } from "../../../resources/sessions/terminal/detach-keys.js";
import { UsageError } from "../../command.js";
import type { Terminal } from "../../terminal.js";

/** The options of commands that connect the terminal to a process. */
export interface InputOptions {
  stdin?: boolean;
  tty?: boolean;
  detachKeys?: string;
}

/** Adds `--stdin`, `--tty` and `--detach-keys`. */
export function addInputOptions(command: Command, process: string): void {
  command
    .option("-i, --stdin", `pass the input to ${process}`)
    .option("-t, --tty", `${process} has a terminal`)
    .option(
      "--detach-keys <keys>",
      'the keys that end the session, while the process continues (default with -it: "ctrl-p,ctrl-q")',
      detachKeys,
    );
}

function detachKeys(text: string): string {
  try {
    parseDetachKeys(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(errorMessage(error));
  }
}

/** Refuses a terminal whose input is none: programs would wait for keys that nobody can type. */
export function checkInput({ stdin, tty }: InputOptions, terminal: Terminal): void {
  if (stdin && tty && !terminal.stdin.isTTY) {
    throw new UsageError("-t with -i needs a terminal as input; leave out -t to pass on a pipe or file");
  }
}
