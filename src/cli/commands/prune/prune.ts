import { Argument } from "commander";
import { type CommandModule, type Invocation, UsageError } from "../../command.js";
import { shortId } from "../../output/cells.js";
import { addListOptions, type ListOptions, printList } from "../../output/format.js";
import { printable } from "../../output/table.js";
import { addNamespaceOption } from "../../select.js";
import { count, duration, labels } from "../../values.js";
import { confirm } from "./confirm.js";
import { type Kind, kinds, type Outcome, type PruneOptions, prune as pruneKind } from "./pruned.js";

interface Options extends PruneOptions, ListOptions {
  dryRun?: boolean;
  yes?: boolean;
  kept?: boolean;
}

/** `prune`: removes unused objects. */
export const prune: CommandModule<Options> = {
  define(command) {
    command
      .addArgument(new Argument("[WHAT...]", "what to remove (default: containers pods)").choices([...kinds]))
      .option("--dry-run", "remove nothing, and list what would be removed")
      .option("-y, --yes", "do not ask for confirmation")
      .option("--kept", "also list what is kept, and why")
      .option("-l, --label <selector>", "only pods with these labels, and their containers", labels)
      .option("--min-age <duration>", "keep objects that are younger (default: 2m)", duration)
      .option("--max-per-container <number>", "how many exited attempts to keep of each container (default: 1)", count)
      .option("--include-kubelet", "also remove pods and containers of a kubelet, which removes them itself")
      .option(
        "--keep <pattern>",
        "images to keep, such as registry.example/base/*; may be given several times",
        (pattern: string, patterns: string[] = []) => [...patterns, pattern],
      )
      .option("--log-root <directory>", "the directory of the logs of all pods", "/var/log/pods")
      .option("--log-links <directory>", "a directory of links to logs, such as /var/log/containers");
    addNamespaceOption(command);
    addListOptions(command);
    command.addHelpText(
      "after",
      `
Removes containers that have exited, pods that are not ready and have no containers, images that no container uses, and
logs of pods and containers that do not exist. It lists what would be removed, and asks first.

Images and logs are those of the whole node: --namespace and --label do not apply to them. Logs of pods of another
runtime below the same --log-root would be removed.

Examples:
  k8s-cri-client prune --dry-run --kept    what would be removed, what is kept, and why
  k8s-cri-client prune images --yes --keep 'registry.example/base/*'
  k8s-cri-client prune containers pods -n batch --min-age 1h`,
    );
  },

  async run(invocation, args, options) {
    const wanted = kinds.filter((kind) =>
      args.length === 0 ? kind === "containers" || kind === "pods" : args.includes(kind),
    );
    requireOptions(wanted, options);
    const cri = await invocation.connect();
    const run = async (dryRun: boolean) => {
      const outcomes: Outcome[] = [];
      for (const kind of wanted) outcomes.push(...(await pruneKind(cri, kind, options, dryRun)));
      return outcomes;
    };
    if (!options.dryRun && !options.yes) {
      const planned = await run(true);
      const number = planned.filter(({ result }) => result === "removed").length;
      if (number === 0) return report(invocation, options, planned);
      for (const { kind, name } of planned.filter(({ result }) => result === "removed"))
        invocation.note(printable(`${kind} ${name}`));
      const more = wanted.includes("pods") && wanted.includes("containers") ? ", and pods that are empty then" : "";
      await confirm(invocation, `Remove ${number === 1 ? "this object" : `these ${number} objects`}${more}?`);
    }
    return report(invocation, options, await run(options.dryRun ?? false));
  },
};

/** Refuses options that would have no effect. */
function requireOptions(wanted: readonly Kind[], options: Options): void {
  const { keep, logLinks, maxPerContainer, namespace, label, includeKubelet } = options;
  const ofPods: Kind[] = ["containers", "pods"];
  const effects: [Kind[], string, unknown][] = [
    [["images"], "--keep", keep],
    [["logs"], "--log-links", logLinks],
    [["containers"], "--max-per-container", maxPerContainer],
    [ofPods, "--namespace", namespace],
    [ofPods, "--label", label],
    [ofPods, "--include-kubelet", includeKubelet],
  ];
  for (const [kinds, option, value] of effects) {
    if (value === undefined || kinds.some((kind) => wanted.includes(kind))) continue;
    throw new UsageError(`${option} has an effect on ${kinds.join(" and ")} only`);
  }
}

async function report(invocation: Invocation, options: Options, outcomes: readonly Outcome[]): Promise<number> {
  const items = options.kept ? outcomes : outcomes.filter(({ result }) => result !== "kept");
  const { dryRun, trunc } = options;
  await printList(invocation, options, {
    items,
    columns: [
      { title: "RESULT", cell: ({ result }) => (dryRun && result === "removed" ? "would remove" : result) },
      { title: "KIND", cell: ({ kind }) => kind },
      { title: "NAME", cell: ({ name }) => name },
      { title: "ID", cell: ({ id }) => shortId(id, trunc) },
      { title: "REASON", cell: ({ reason }) => reason },
    ],
    name: ({ id, name }) => id || name,
  });
  const numbers = (wanted: Outcome["result"]) => outcomes.filter(({ result }) => result === wanted).length;
  const removed = `${dryRun ? "would remove" : "removed"} ${numbers("removed")}`;
  invocation.note(`${removed}, kept ${numbers("kept")}, failed ${numbers("failed")}`);
  return numbers("failed") > 0 ? 1 : 0;
}
