import { Option } from "commander";
import { type PodStateName, toDate } from "../../index.js";
import { ContainerState, PodSandboxState } from "../../proto.js";
import type { CommandModule } from "../command.js";
import { age, podName, shortId } from "../output/cells.js";
import { addListOptions, type ListOptions, printList } from "../output/format.js";
import { addNamespaceOption, matcher, type SelectOptions } from "../select.js";
import { labels } from "../values.js";

interface PodsOptions extends ListOptions, SelectOptions {
  state?: "ready" | "notready";
  label?: Record<string, string>;
  name?: string;
}

const states: Readonly<Record<NonNullable<PodsOptions["state"]>, PodStateName>> = {
  ready: "ready",
  notready: "notReady",
};

/** `pods`: lists pods. */
export const pods: CommandModule<PodsOptions> = {
  define(command) {
    command
      .argument("[POD...]", "only pods whose name, NAMESPACE/POD, or id begins like this")
      // For people who are used to ps -a. All pods are listed anyway.
      .addOption(new Option("-a, --all").hideHelp())
      .addOption(new Option("-s, --state <state>", "only pods in this state").choices(Object.keys(states)))
      .option("-l, --label <selector>", "only pods with these labels, such as app=shop,tier=web", labels)
      .option("--name <name>", "only pods with exactly this name");
    addNamespaceOption(command);
    addListOptions(command);
    command.addHelpText(
      "after",
      `
Examples:
  k8s-cri-client pods -s ready             pods that are ready
  k8s-cri-client pods -n kube-system -o wide
  k8s-cri-client pods web -o json          what the runtime reports, as crictl prints it`,
    );
  },

  async run(invocation, prefixes, options) {
    const { state, label, name, namespace, trunc } = options;
    const cri = await invocation.connect();
    const [all, containers] = await Promise.all([
      cri.pods.list({ state: state && states[state], labels: label, name, namespace }),
      cri.containers.list(),
    ]);
    const isWanted = matcher(prefixes);
    const items = all.filter((pod) => isWanted(pod.id, pod.metadata?.name ?? "", podName(pod)));
    const containersOf = (id: string) => {
      const own = containers.filter(({ podSandboxId }) => podSandboxId === id);
      return `${own.filter(({ state }) => state === ContainerState.CONTAINER_RUNNING).length}/${own.length}`;
    };
    await printList(invocation, options, {
      items,
      columns: [
        { title: "POD ID", cell: ({ id }) => shortId(id, trunc) },
        { title: "NAMESPACE", cell: ({ metadata }) => metadata?.namespace ?? "" },
        { title: "NAME", cell: ({ metadata }) => metadata?.name ?? "" },
        { title: "STATE", cell: ({ state }) => PodSandboxState[state]?.replace("SANDBOX_", "").toLowerCase() ?? "" },
        { title: "RUNNING", cell: ({ id }) => containersOf(id) },
        { title: "AGE", cell: ({ createdAt }) => age(toDate(createdAt)) },
        { title: "ATTEMPT", cell: ({ metadata }) => String(metadata?.attempt ?? 0), wide: true },
        { title: "HANDLER", cell: ({ runtimeHandler }) => runtimeHandler || "(default)", wide: true },
        { title: "UID", cell: ({ metadata }) => metadata?.uid ?? "", wide: true },
      ],
      name: ({ id }) => id,
      json: () => ({ items }),
    });
  },
};
