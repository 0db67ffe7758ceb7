import { Option } from "commander";
import { type ContainerStateName, messageToJson, toDate } from "../../index.js";
import { Container as ContainerMessage, ContainerState } from "../../proto.js";
import type { CommandModule } from "../command.js";
import { age, shortId } from "../output/cells.js";
import { addListOptions, type ListOptions, printList } from "../output/format.js";
import { labels } from "../values.js";

interface PsOptions extends ListOptions {
  all?: boolean;
  state?: ContainerStateName;
  label?: Record<string, string>;
  name?: string;
  pod?: string;
}

/** `ps`: lists containers. */
export const ps: CommandModule<PsOptions> = {
  define(command) {
    command
      .option("-a, --all", "also list containers that do not run")
      .addOption(
        new Option("-s, --state <state>", "only containers in this state").choices([
          "created",
          "running",
          "exited",
          "unknown",
        ]),
      )
      .option("-l, --label <selector>", "only containers with these labels, such as app=shop,tier=web", labels)
      .option("-n, --name <name>", "only containers with this name")
      .option("-p, --pod <id>", "only containers of this pod");
    addListOptions(command);
  },

  async run(invocation, _args, options) {
    const { all, label, name, pod, trunc } = options;
    const state = options.state ?? (all ? undefined : "running");
    const cri = await invocation.connect();
    const containers = await cri.containers.list({ state, labels: label, name, pod });
    await printList(invocation, options, {
      items: containers,
      columns: [
        { title: "CONTAINER", cell: ({ id }) => shortId(id, trunc) },
        { title: "NAME", cell: ({ metadata }) => metadata?.name ?? "" },
        { title: "STATE", cell: ({ state }) => ContainerState[state]?.replace("CONTAINER_", "").toLowerCase() ?? "" },
        { title: "AGE", cell: ({ createdAt }) => age(toDate(createdAt)) },
        { title: "IMAGE", cell: ({ image }) => image?.image ?? "" },
        { title: "ATTEMPT", cell: ({ metadata }) => String(metadata?.attempt ?? 0), wide: true },
        { title: "POD ID", cell: ({ podSandboxId }) => shortId(podSandboxId, trunc) },
      ],
      name: ({ id }) => id,
      json: () => ({ containers: containers.map((container) => messageToJson(ContainerMessage, container)) }),
    });
  },
};
