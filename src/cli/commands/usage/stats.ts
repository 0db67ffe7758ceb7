import { Option } from "commander";
import { messageToJson, type UsageSnapshot } from "../../../index.js";
import { ContainerStats, PodSandboxStats } from "../../../proto.js";
import type { CommandModule } from "../../command.js";
import { addListOptions, type ListOptions, printList } from "../../output/format.js";
import { addSelectOptions, namesHelp } from "../../select.js";
import { duration, labels } from "../../values.js";
import { containerColumns, podColumns, sorted } from "./columns.js";
import { selectUsage, type UsageSelection } from "./selection.js";

interface StatsOptions extends ListOptions, UsageSelection {
  pods?: boolean;
  interval: number;
}

/** `stats`: prints the resource usage of containers or pods once. */
export const stats: CommandModule<StatsOptions> = {
  define(command) {
    command
      .argument("[NAME...]", "containers, or pods with all their containers")
      .option("--pods", "print the resource usage of pods")
      .option("-l, --label <selector>", "only pods with these labels, such as app=shop,tier=web", labels)
      .addOption(
        new Option("--interval <duration>", "how long to measure CPU and network")
          .argParser(duration)
          .default(1_000, "1s"),
      );
    addListOptions(command);
    addSelectOptions(command);
    command.addHelpText("after", help);
  },

  async run(invocation, names, options) {
    const { pods, trunc, output, interval } = options;
    const cri = await invocation.connect();
    const usage = await selectUsage(cri, names, options);
    const needsRates = output === "table" || output === "wide";
    let latest: UsageSnapshot | undefined;
    let count = 0;
    for await (latest of cri.stats.watch({ ...usage.filter, intervalMs: Math.max(1, interval) })) {
      if (!needsRates || ++count === 2) break;
    }
    if (!latest) return;
    if (!pods) {
      const selected = sorted(usage.containers(latest), "pod");
      return printList(invocation, options, {
        items: selected,
        columns: containerColumns(trunc),
        name: ({ id }) => id,
        json: () => ({ stats: selected.map(({ stats }) => messageToJson(ContainerStats, stats)) }),
      });
    }
    if (latest.podStatsError) invocation.note(`The runtime has no statistics of pods: ${latest.podStatsError.message}`);
    const shown = usage.pods(latest);
    return printList(invocation, options, {
      items: shown,
      columns: podColumns(trunc),
      name: ({ id }) => id,
      json: () => ({ stats: shown.flatMap(({ stats }) => (stats ? [messageToJson(PodSandboxStats, stats)] : [])) }),
    });
  },
};

const help = `${namesHelp}

A table shows the CPU as percent of one core, measured for a second. JSON and YAML have the runtime's messages.

Examples:
  k8s-cri-client stats
  k8s-cri-client stats web -o json
  k8s-cri-client stats --pods -l app=shop`;
