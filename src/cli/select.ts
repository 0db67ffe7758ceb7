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
    new Option("--type <type>", "what the names stand for, if they are ambiguous").choices(["pod", "container"]),
  );
}

/** What help says about the names that commands take. */
export const namesHelp = `
A pod or container is named by its id, by the beginning of its id, or by its name:
POD, NAMESPACE/POD, CONTAINER, POD/CONTAINER or NAMESPACE/POD/CONTAINER.`;

/** Finds the pods and containers that a user names, in the order of the names. */
export function select(
  cri: CriClient,
  names: readonly string[],
  { namespace, type }: SelectOptions = {},
): Promise<(PodSandbox | Container)[]> {
  return cri.resolveAll(names, { namespace, kind: type });
}

/** A pod or container, with the name by which the user selected it, or its id if the user selected it by a label. */
export interface Selected {
  readonly name: string;
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
  names: readonly string[],
  options: SelectOptions & { label?: Record<string, string> },
): Promise<Selected[]> {
  const { label, namespace, type } = options;
  if (names.length === 0 && label === undefined)
    throw new UsageError("name pods or containers, or select them by --label");
  const named = await select(cri, names, options);
  const selected = named.map((object, index): Selected => ({ name: names[index] ?? object.id, object }));
  if (label !== undefined) {
    const pods = await cri.pods.list({ namespace, labels: type === "container" ? undefined : label });
    const ids = new Set(pods.map(({ id }) => id));
    const containers = type === "container" ? await cri.containers.list({ labels: label }) : [];
    const found =
      type === "container"
        ? containers.filter(({ podSandboxId }) => ids.has(podSandboxId)).map(({ id }) => cri.containers.get(id))
        : pods.map(({ id }) => cri.pods.get(id));
    selected.push(...found.map((object) => ({ name: object.id, object })));
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
  name: string,
  { namespace, container }: { namespace?: string | undefined; container?: string | undefined } = {},
): Promise<Container> {
  return cri.containers.resolve(container === undefined ? name : `${name}/${container}`, { namespace });
}

/** Returns a function for lists: whether a name or id of an entry begins with one of the prefixes. Without prefixes, all match. */
export function matcher(prefixes: readonly string[]): (...names: readonly string[]) => boolean {
  return (...names) =>
    prefixes.length === 0 || names.some((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}
