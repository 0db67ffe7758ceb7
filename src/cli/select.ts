import { type Command, Option } from "commander";
import type { Container, CriClient, PodSandbox } from "../index.js";
import { UsageError } from "./command.js";

/** The options with which a user narrows what a name stands for. */
export interface SelectOptions {
  /** Only pods of this namespace, and their containers. */
  namespace?: string | undefined;
  /** What the name stands for, if a pod and a container have it. */
  type?: "pod" | "container" | undefined;
}

/** Adds `--namespace`. */
export function addNamespaceOption(command: Command): void {
  command.option("-n, --namespace <name>", "only pods of this namespace, and their containers");
}

/** Adds `--namespace` and `--type`, for commands that take pods and containers. */
export function addSelectOptions(command: Command): void {
  addNamespaceOption(command);
  command.addOption(
    new Option("--type <type>", "what a name stands for, if a pod and a container have it").choices([
      "pod",
      "container",
    ]),
  );
}

/** What help says about the names that commands take. */
export const namesHelp = `
A pod or container is named by its id, by the beginning of its id, or by its name:
POD, NAMESPACE/POD, CONTAINER, POD/CONTAINER or NAMESPACE/POD/CONTAINER.`;

/** Finds the pod or container that a user names. */
export async function select(
  cri: CriClient,
  text: string,
  { namespace, type }: SelectOptions = {},
): Promise<PodSandbox | Container> {
  if (type === "pod") return cri.pods.resolve(text, { namespace });
  return type === "container" ? cri.containers.resolve(text, { namespace }) : cri.resolve(text, { namespace });
}

/** A pod or container, with the text by which the user named it. */
export interface Selected {
  readonly text: string;
  readonly object: PodSandbox | Container;
}

/**
 * Finds the pods and containers that a user names, and the pods with certain labels, or with `type: "container"` the containers.
 * Each is selected once.
 *
 * @throws UsageError if the user selects nothing
 */
export async function selectAll(
  cri: CriClient,
  texts: readonly string[],
  options: SelectOptions & { label?: Record<string, string> },
): Promise<Selected[]> {
  const { label, namespace, type } = options;
  if (texts.length === 0 && label === undefined)
    throw new UsageError("name pods or containers, or select them by --label");
  const selected: Selected[] = [];
  for (const text of texts) selected.push({ text, object: await select(cri, text, options) });
  if (label !== undefined) {
    const pods = await cri.pods.list({ namespace, labels: type === "container" ? undefined : label });
    const ids = new Set(pods.map(({ id }) => id));
    const containers = type === "container" ? await cri.containers.list({ labels: label }) : [];
    const found =
      type === "container"
        ? containers.filter(({ podSandboxId }) => ids.has(podSandboxId)).map(({ id }) => cri.containers.get(id))
        : pods.map(({ id }) => cri.pods.get(id));
    selected.push(...found.map((object) => ({ text: object.id, object })));
  }
  return [...new Map(selected.map((one) => [one.object.id, one])).values()];
}

/**
 * Finds the container that a user names, or with `container` the one of the pod that the user names.
 *
 * @throws CriError `FAILED_PRECONDITION` for a pod with several containers, if no container is named
 */
export async function selectContainer(
  cri: CriClient,
  text: string,
  { namespace, container }: { namespace?: string | undefined; container?: string | undefined } = {},
): Promise<Container> {
  return cri.containers.resolve(container === undefined ? text : `${text}/${container}`, { namespace });
}

/** Returns a function for lists: whether an entry has one of the names or ids, or one that begins like it. No texts match all. */
export function matcher(texts: readonly string[]): (...names: readonly string[]) => boolean {
  return (...names) => texts.length === 0 || names.some((name) => texts.some((text) => name.startsWith(text)));
}
