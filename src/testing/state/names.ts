import type { ServerError } from "nice-grpc-common";
import { onAbort } from "../../internal/abort.js";
import type { ContainerMetadata, PodSandboxMetadata } from "../../proto.js";
import type { FlavorProfile } from "../flavors.js";
import { rpcError } from "../handlers.js";

type Kind = "sandbox" | "container";

interface Reservation {
  readonly id: string;
  /** Settles with whether the creation came about. */
  readonly settled: Promise<boolean>;
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
   * holder, and waits for one that is being created.
   */
  async create(name: string, id: string, signal: AbortSignal, create: () => Promise<void>): Promise<string> {
    const held = this.#reservations.get(name);
    if (held) return this.#taken(name, id, held, signal);
    let settle: (created: boolean) => void = () => {};
    this.#reservations.set(name, { id, settled: new Promise((resolve) => (settle = resolve)) });
    try {
      await create();
      settle(true);
      return id;
    } catch (error) {
      if (!this.holders.exists(id)) this.#reservations.delete(name);
      settle(false);
      throw error;
    }
  }

  /** Takes a name for something that was not created by a call. */
  hold(name: string, id: string): void {
    this.#reservations.set(name, { id, settled: Promise.resolve(true) });
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
      const word = this.kind === "sandbox" ? "pod" : "ctr";
      const created = await unlessAborted(held.settled, signal);
      if (created) return held.id;
      throw rpcError("UNKNOWN", `error reserving ${word} name ${name} for id ${id}: name is reserved`);
    }
    if (this.flavor.removesIdleHolder && this.holders.removeIdle(held.id)) this.release(name);
    throw this.#conflict(name, held.id, this.flavor.takenName);
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

/** Whether something came about, or false as soon as nobody waits for it any more. */
async function unlessAborted(settled: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  let unlisten: () => void = () => {};
  const aborted = new Promise<false>((resolve) => {
    unlisten = onAbort(signal, () => resolve(false));
  });
  return Promise.race([settled, aborted]).finally(unlisten);
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
