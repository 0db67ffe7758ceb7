import { Option } from "commander";
import { type ContainerStateName, toDate } from "../../index.js";
import { type Container, ContainerState } from "../../proto.js";
import type { CommandModule } from "../command.js";
import { age, podName, shortId } from "../output/cells.js";
import { addListOptions, type ListOptions, printList } from "../output/format.js";
import { addNamespaceOption, matcher, type SelectOptions } from "../select.js";
import { labels } from "../values.js";

interface PsOptions extends ListOptions, SelectOptions {
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
      .argument("[CONTAINER...]", "only containers whose name, POD/CONTAINER, or id begins like this")
      .option("-a, --all", "also list containers that are not running")
      .addOption(
        new Option("-s, --state <state>", "only containers in this state").choices([
          "created",
          "running",
          "exited",
          "unknown",
        ]),
      )
      .option("-l, --label <selector>", "only containers with these labels, such as app=shop,tier=web", labels)
      .option("--name <name>", "only containers with exactly this name")
      .option("-p, --pod <pod>", "only containers of this pod: a name, an id, or the beginning of an id");
    addNamespaceOption(command);
    addListOptions(command);
    command.addHelpText(
      "after",
      `
Examples:
  k8s-cri-client ps                        containers that run
  k8s-cri-client ps -a --pod shop/web      all containers of one pod
  k8s-cri-client ps -q -l app=shop         ids, for scripts`,
    );
  },

  async run(invocation, prefixes, options) {
    const { all, label, name, namespace, pod, trunc } = options;
    const state = options.state ?? (all ? undefined : "running");
    const cri = await invocation.connect();
    const ofPod = pod === undefined ? undefined : await cri.pods.resolve(pod, { namespace });
    const isTable = !options.quiet && (options.output === "table" || options.output === "wide");
    const [containers, pods, images] = await Promise.all([
      cri.containers.list({ state, labels: label, name, pod: ofPod }),
      cri.pods.list({ namespace }),
      isTable ? cri.images.list() : [],
    ]);
    const tags = new Map(images.map(({ id, repoTags }) => [id, repoTags[0]]));
    const podsById = new Map(pods.map((entry) => [entry.id, entry]));
    const podOf = (id: string) => podName(podsById.get(id));
    const isWanted = matcher(prefixes);
    const wanted = containers.filter(({ id, metadata, podSandboxId }) => {
      const containerName = metadata?.name ?? "";
      const path = podOf(podSandboxId);
      if (namespace !== undefined && path === "") return false;
      return isWanted(id, containerName, `${path}/${containerName}`, `${path.split("/")[1]}/${containerName}`);
    });
    await printList(invocation, options, {
      items: wanted,
      columns: [
        { title: "CONTAINER", cell: ({ id }) => shortId(id, trunc) },
        { title: "NAME", cell: ({ metadata }) => metadata?.name ?? "" },
        { title: "STATE", cell: ({ state }) => ContainerState[state]?.replace("CONTAINER_", "").toLowerCase() ?? "" },
        { title: "AGE", cell: ({ createdAt }) => age(toDate(createdAt)) },
        { title: "POD", cell: ({ podSandboxId }) => podOf(podSandboxId) },
        { title: "IMAGE", cell: (container) => imageOf(container, tags, trunc) },
        { title: "ATTEMPT", cell: ({ metadata }) => String(metadata?.attempt ?? 0), wide: true },
        { title: "POD ID", cell: ({ podSandboxId }) => shortId(podSandboxId, trunc), wide: true },
      ],
      name: ({ id }) => id,
      json: () => ({ containers: wanted }),
    });
  },
};

/** The image of a container as people know it. Most runtimes report its id only. */
function imageOf({ image, imageId }: Container, tags: ReadonlyMap<string, string | undefined>, trunc: boolean): string {
  const reference = image?.image ?? "";
  const name = image?.userSpecifiedImage || tags.get(imageId) || tags.get(reference);
  return name ?? (/^(sha256:)?[0-9a-f]{64}$/.test(reference) ? shortId(reference, trunc) : reference);
}
