import type { CriClient } from "../../client.js";
import { podName } from "../output/cells.js";

/** What a shell may complete a word to. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What the argument of a command, or the value of an option, stands for. */
export type LiveKind = "container" | "pod" | "image" | "namespace";

/** Returns the names of objects on the node. A name that several objects have is completed to a longer one, such as POD/CONTAINER. */
export async function liveNames(cri: CriClient, kinds: readonly LiveKind[], beginning: string): Promise<Candidate[]> {
  const wants = (kind: LiveKind) => kinds.includes(kind);
  const isNode = wants("container") || wants("pod") || wants("namespace");
  const [pods, containers, images] = await Promise.all([
    isNode ? cri.pods.list() : [],
    wants("container") ? cri.containers.list() : [],
    wants("image") ? cri.images.list() : [],
  ]);
  const paths = new Map(pods.map((pod) => [pod.id, podName(pod)]));
  const named = [
    ...(wants("pod") ? pods.map(({ id }) => ({ id, path: paths.get(id) ?? id, what: "pod" })) : []),
    ...containers.map(({ id, metadata, podSandboxId }) => {
      return { id, path: `${paths.get(podSandboxId) ?? podSandboxId}/${metadata?.name}`, what: "container" };
    }),
  ];
  const references = images.flatMap(({ repoTags }) => repoTags);
  const namespaces = wants("namespace") ? [...new Set(pods.map(({ metadata }) => metadata?.namespace ?? ""))] : [];
  return [
    ...named.flatMap(({ id, path, what }) => {
      const names = namesOf(path).filter(
        (name) => !named.some((other) => other.path !== path && isName(name, other.path)),
      );
      const [shortest = path] = names;
      // Longer names and ids are of use only to those who began to write one.
      const others = beginning === "" ? [] : [...names.slice(1), id].filter((name) => name.startsWith(beginning));
      const values = shortest.startsWith(beginning) ? [shortest] : others.slice(0, 1);
      return values.map((value) => ({ value, description: `${what} ${path}` }));
    }),
    ...references.map((value) => ({ value, description: "image" })),
    ...namespaces.map((value) => ({ value, description: "namespace" })),
  ];
}

/** Returns the names of an object with a path, the shortest first. */
function namesOf(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(-1 - index).join("/"));
}

function isName(name: string, path: string): boolean {
  return path === name || path.endsWith(`/${name}`);
}
