import type { ServerError } from "nice-grpc-common";
import { onAbort } from "../../internal/abort.js";
import type { ContainerMetadata, PodSandboxMetadata } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { rpcError } from "../handlers.js";

/** What has a name. */
export type Kind = "sandbox" | "container";

interface Reservation {
  readonly id: string;
  /** Whether the creation came about. */
  created: boolean;
}

/** What the holders of names are, as far as a {@link NameRegistry} needs to know. */
export interface NameHolders {
  /** Whether there is something with this id. */
  exists(id: string): boolean;
  /** Removes the thing with this id, unless it runs. Returns whether it did. */
  removeIdle(id: string): boolean;
}

/** The names that pods and containers are known by to their runtime; each can be held once. */
export class NameRegistry {
  readonly #reservations = new Map<string, Reservation>();

  constructor(
    private readonly kind: Kind,
    private readonly flavor: FlavorProfile,
    private readonly holders: NameHolders,
  ) {}

  /**
   * Reserves a name for the time of a creation, runs the creation, and lets go of the name if that leaves nothing. A taken name is
   * answered as the flavour does it: containerd fails; Docker fails and removes a holder that does not run; CRI-O gives the id of the
   * holder, but waits until the deadline of the call if that is still being created: only the next call gets the id.
   */
  async create(name: string, id: string, signal: AbortSignal, create: () => Promise<void>): Promise<string> {
    const held = this.#reservations.get(name);
    if (held) return this.#taken(name, id, held, signal);
    const reservation: Reservation = { id, created: false };
    this.#reservations.set(name, reservation);
    try {
      await create();
      reservation.created = true;
      return id;
    } catch (error) {
      if (!this.holders.exists(id)) this.#reservations.delete(name);
      throw error;
    }
  }

  /** Takes a name for something that was not created by a call. */
  hold(name: string, id: string): void {
    this.#reservations.set(name, { id, created: true });
  }

  /** The id a name is held for. */
  holder(name: string): string | undefined {
    return this.#reservations.get(name)?.id;
  }

  release(name: string): void {
    this.#reservations.delete(name);
  }

  async #taken(name: string, id: string, held: Reservation, signal: AbortSignal): Promise<string> {
    if (this.flavor.takenName === "holder") {
      if (held.created) return held.id;
      await abortOf(signal);
      throw this.#stalled(name, id, held);
    }
    if (this.flavor.removesIdleHolder && this.holders.removeIdle(held.id)) this.release(name);
    throw this.#conflict(name, held.id, this.flavor.takenName);
  }

  #stalled(name: string, id: string, { created }: Reservation): ServerError {
    const [subject, word] = this.kind === "sandbox" ? ["sandbox", "pod"] : ["container", "ctr"];
    const ready = `the requested ${subject} ${name} is now ready and will be provided to the kubelet on next retry`;
    const stage = `Currently at stage ${subject} creating: ${created ? ready : "context deadline exceeded"}`;
    return rpcError(
      "UNKNOWN",
      `kubelet may be retrying requests that are timing out in CRI-O due to system load. ${stage}: ` +
        `error reserving ${word} name ${name} for id ${id}: name is reserved`,
    );
  }

  #conflict(name: string, holder: string, code: "UNKNOWN" | "FAILED_PRECONDITION"): ServerError {
    if (this.flavor.family === "docker") {
      const remedy = "You have to remove (or rename) that container to be able to reuse that name.";
      const conflict = `Conflict. The container name "/${name}" is already in use by container "${holder}". ${remedy}`;
      const context = this.kind === "sandbox" ? "failed to create a sandbox for pod: " : "";
      return rpcError(code, `${context}Error response from daemon: ${conflict}`);
    }
    const hint =
      this.kind === "container" && this.flavor.name === "containerd-2"
        ? "; check if another CreateContainer request is in progress"
        : "";
    const reserved = `name "${name}" is reserved for "${holder}"`;
    return rpcError(code, `failed to reserve ${this.kind} name "${name}"${hint}: ${reserved}`);
  }
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else onAbort(signal, resolve);
  });
}

/** What a sandbox's name is made of. */
export function sandboxName(metadata: PodSandboxMetadata, flavor: FlavorProfile): string {
  const { name, namespace, uid, attempt } = metadata;
  return `${flavor.namePrefix.sandbox}${name}_${namespace}_${uid}_${attempt}`;
}

/** What a container's name is made of. */
export function containerName(metadata: ContainerMetadata, pod: PodSandboxMetadata, flavor: FlavorProfile): string {
  return `${flavor.namePrefix.container}${metadata.name}_${pod.name}_${pod.namespace}_${pod.uid}_${metadata.attempt}`;
}

/** Why the runtime cannot read a name back, in words of its own; undefined if it can, or does not need to. */
export function unreadableName(kind: Kind, name: string, { parsesNames }: FlavorProfile): string | undefined {
  const parts = name.split("_");
  const attempt = parts[5] ?? "";
  if (!parsesNames || parts.length === 6) return undefined;
  // The seventh part stands for a suffix that very old versions of Docker added.
  if (parts.length !== 7) return `failed to parse the ${kind} name: "${name}"`;
  if (/^\d+$/.test(attempt)) return undefined;
  return `failed to parse the ${kind} name "${name}": strconv.ParseUint: parsing "${attempt}": invalid syntax`;
}
