import { CriError } from "../../errors.js";
import { toText } from "../../internal/files/byte-string.js";
import type { Container, PodSandbox } from "../../proto.js";
import type { Budget } from "../../rpcs/budget.js";
import { containerStatus } from "../../rpcs/containers.js";
import { logDirectoryName } from "../../specs/pod-config.js";
import type { Connection } from "../../transport/connection.js";

/** The pods of a node and their containers, by the names of the pods' log directories. Names are byte strings. */
export class LoggedPods {
  readonly #connection: Connection;
  readonly #uids = new Set<string>();
  readonly #containers = new Map<string, Container[]>();

  constructor(connection: Connection, pods: readonly PodSandbox[], containers: readonly Container[]) {
    this.#connection = connection;
    const directories = new Map<string, string>();
    for (const { id, metadata } of pods) {
      if (!metadata) continue;
      directories.set(id, logDirectoryName(metadata));
      this.#containers.set(logDirectoryName(metadata), []);
      if (metadata.uid !== "") this.#uids.add(metadata.uid);
    }
    for (const container of containers) {
      this.#containers.get(directories.get(container.podSandboxId) ?? "")?.push(container);
    }
  }

  /** Returns whether a pod exists whose directory has this name, or ends with its uid, as a kubelet checks it. */
  has(directory: string): boolean {
    const name = toText(directory);
    return this.isExact(directory) || this.#uids.has(name.slice(name.lastIndexOf("_") + 1));
  }

  /** Returns whether a pod exists whose directory has exactly this name. */
  isExact(directory: string): boolean {
    return this.#containers.has(toText(directory));
  }

  hasContainer(directory: string, name: string, attempt: number): boolean {
    const containers = this.#containers.get(toText(directory)) ?? [];
    return containers.some(({ metadata }) => metadata?.name === toText(name) && metadata.attempt === attempt);
  }

  /** Returns the paths of the logs of all containers, relative to the directory: a container may have any path. */
  async logPaths(directory: string, budget: Budget): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const { id } of this.#containers.get(toText(directory)) ?? []) {
      try {
        const { status } = await containerStatus(this.#connection, id, false, budget.options());
        const [, path] = status.logPath.split(`/${toText(directory)}/`);
        if (path !== undefined) paths.add(path);
      } catch (error) {
        if (!CriError.is(error, "NOT_FOUND")) throw error;
      }
    }
    return paths;
  }
}
