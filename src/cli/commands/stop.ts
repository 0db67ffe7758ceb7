import type { CommandModule } from "../command.js";
import { forEachSelected } from "../for-each-selected.js";
import { addSelectOptions, namesHelp, type SelectOptions, selectAll } from "../select.js";
import { duration, labels } from "../values.js";

interface StopOptions extends SelectOptions {
  label?: Record<string, string>;
  gracePeriod?: number;
}

/** `stop`: stops pods and containers. */
export const stop: CommandModule<StopOptions> = {
  define(command) {
    command
      .argument("[NAME...]", "pods or containers")
      .option("-l, --label <selector>", "the pods with these labels, or the containers with --type container", labels)
      .option(
        "--grace-period <duration>",
        "time between the stop signal and SIGKILL (default: what the pod or container was created with)",
        duration,
      );
    addSelectOptions(command);
    command.addHelpText(
      "after",
      `${namesHelp}
Stopping a pod stops its containers and removes its network.

Examples:
  k8s-cri-client stop web/main
  k8s-cri-client stop shop/web --grace-period 30s
  k8s-cri-client stop -l app=shop`,
    );
  },

  async run(invocation, names, options) {
    const cri = await invocation.connect();
    const gracePeriodSeconds = options.gracePeriod === undefined ? undefined : options.gracePeriod / 1_000;
    return forEachSelected(invocation, await selectAll(cri, names, options), ({ object }) =>
      object.stop({ gracePeriodSeconds }),
    );
  },
};
