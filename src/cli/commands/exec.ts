import type { Command } from "commander";
import { type CommandModule, UsageError } from "../command.js";
import { ownFailureOf } from "../failures.js";
import { addNamespaceOption, namesHelp, selectContainer } from "../select.js";
import { addInputOptions, checkInput, type InputOptions } from "./sessions/input-options.js";

interface ExecOptions extends InputOptions {
  container?: string;
  namespace?: string;
  kill?: boolean;
}

/** `exec`: runs a command in a container, and ends with its exit code. */
export const exec: CommandModule<ExecOptions> = {
  define(command) {
    command
      .argument("<CONTAINER>", "a container, or a pod with one container")
      .argument("[COMMAND...]", "the command and its arguments, after --")
      .usage("[options] CONTAINER|POD [options] -- COMMAND...")
      .passThroughOptions()
      .option("-c, --container <name>", "the container of the pod")
      .option("--kill", "end the command if the session is interrupted; needs sh, grep and kill in the container");
    addInputOptions(command, "the command");
    addNamespaceOption(command);
    command.hook("preAction", (_, exec) => takeCommand(exec));
    command.addHelpText("after", help);
  },

  async run({ connect, terminal, note }, [name = "", ...command], options) {
    const { container: containerName, namespace, stdin = false, tty = false, kill, detachKeys } = options;
    if (command.length === 0) throw new UsageError(`which command? For example: exec -it ${name} -- sh`);
    checkInput(options, terminal);
    try {
      const container = await selectContainer(await connect(), name, { namespace, container: containerName });
      const result = await container.execInteractive(command, {
        ...{ stdin, tty, detachKeys, killOnAbort: kill },
        ...{ input: terminal.stdin, output: terminal.stdout, stderr: terminal.stderr, signal: terminal.signal },
      });
      if (!result.detached) return result.exitCode;
      note("Detached. The command continues to run.");
      return 0;
    } catch (error) {
      throw ownFailureOf(error);
    }
  },
};

/** Parses options between the container and `--`. What follows `--`, or the container directly, is the command. */
function takeCommand(command: Command): void {
  const [name = "", ...rest] = command.args;
  const end = rest.indexOf("--");
  const isCommand = end === -1 || !rest[0]?.startsWith("-");
  const options = isCommand ? [] : rest.slice(0, end);
  const { operands, unknown } = command.parseOptions(options);
  const [unexpected] = [...unknown, ...operands];
  if (unexpected !== undefined) throw new UsageError(`unexpected ${unexpected} between ${name} and --`);
  if (isCommand && rest[0]?.startsWith("-"))
    throw new UsageError(`write -- before the command: exec ${name} ... -- sh`);
  command.args = [name, ...(isCommand ? rest : rest.slice(end + 1))];
}

const help = `${namesHelp}

Exits with the exit code of the command; with 127 if there is no such program, and with 125 if it could not be run.
Without -t, Ctrl-C ends the session, and the command may continue to run: see --kill.

Examples:
  k8s-cri-client exec -it web -- sh
  k8s-cri-client exec web -- cat /etc/hosts
  tar -c site | k8s-cri-client exec -i web/nginx -- tar -x -C /srv`;
