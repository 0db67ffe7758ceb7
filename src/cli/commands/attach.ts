import type { CommandModule } from "../command.js";
import { ownFailureOf } from "../failures.js";
import { printable } from "../output/table.js";
import { addNamespaceOption, namesHelp, selectContainer } from "../select.js";
import { addInputOptions, checkInput, type InputOptions } from "./sessions/input-options.js";

interface AttachOptions extends InputOptions {
  container?: string;
  namespace?: string;
}

/** `attach`: connects the terminal to the main process of a container, and ends with its exit code. */
export const attach: CommandModule<AttachOptions> = {
  define(command) {
    command
      .argument("<CONTAINER>", "a container, or a pod with one container")
      .option("-c, --container <name>", "the container of the pod");
    addInputOptions(command, "the main process");
    addNamespaceOption(command);
    command.addHelpText("after", help);
  },

  async run({ connect, terminal, note }, [name = ""], options) {
    const { container: containerName, namespace, stdin = false, detachKeys } = options;
    checkInput(options, terminal);
    try {
      const container = await selectContainer(await connect(), name, { namespace, container: containerName });
      const { tty = options.tty ?? false } = await container.inspect();
      checkInput({ stdin, tty }, terminal);
      if (stdin && tty) note(`Attached to ${printable(container.id.slice(0, 13))}. Press Enter if you see no prompt.`);
      const { detached } = await container.attachInteractive({
        ...{ stdin, tty, detachKeys },
        ...{ input: terminal.stdin, output: terminal.stdout, stderr: terminal.stderr, signal: terminal.signal },
      });
      if (!detached) return (await container.wait()).exitCode;
      note("Detached. The container continues to run.");
      return 0;
    } catch (error) {
      throw ownFailureOf(error);
    }
  },
};

const help = `${namesHelp}

Shows the output from now on: logs shows the earlier output. Input needs a container that was created with stdin.
Exits with the exit code of the container, and with 125 if it could not be attached to. The option -t is needed only
on Docker, which does not report whether a process has a terminal.

Examples:
  k8s-cri-client attach web
  k8s-cri-client attach -i debug/shell`;
