import { Argument } from "commander";
import type { CommandModule } from "../command.js";
import { type Shell, scripts, shells } from "../completion/scripts.js";

/** `completion`: prints the script with which a shell completes command lines. */
export const completion: CommandModule = {
  define(command) {
    command.addArgument(new Argument("<SHELL>", "the shell").choices([...shells]));
    command.addHelpText(
      "after",
      `
Completes commands, options, their choices, and the names of pods, containers and images of the node.
The shell must find k8s-cri-client in its PATH: npm install --global k8s-cri-client.

Examples:
  source <(k8s-cri-client completion bash)     add this line to ~/.bashrc
  source <(k8s-cri-client completion zsh)      add it to ~/.zshrc, below compinit
  k8s-cri-client completion fish | source      add it to ~/.config/fish/config.fish`,
    );
  },

  async run({ print }, [shell]) {
    await print(scripts[shell as Shell]);
  },
};
