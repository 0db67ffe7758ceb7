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

/** The names that pods and containers are known by to their runtime; each can be held once. */
export class NameRegistry {
  readonly #reservations = new Map<string, Reservation>();

  constructor(
    private readonly kind: Kind,
    private readonly flavor: FlavorProfile,
  ) {}

  /**
   * Reserves a name for the time of a creation, runs the creation, and lets go of the name if that fails. A taken name is
   * answered as the flavour does it: containerd fails; CRI-O gives the id of what is there, and waits for what is on its way.
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
      this.#reservations.delete(name);
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
    const { takenName } = this.flavor;
    if (takenName === "holder") {
      const word = this.kind === "sandbox" ? "pod" : "ctr";
      const created = await unlessAborted(held.settled, signal);
      if (created) return held.id;
      throw rpcError("UNKNOWN", `error reserving ${word} name ${name} for id ${id}: name is reserved`);
    }
    const hint =
      this.kind === "container" && this.flavor.name === "containerd-2"
        ? "; check if another CreateContainer request is in progress"
        : "";
    if (this.flavor.family === "docker") {
      throw rpcError(takenName, `Conflict. The container name "/${name}" is already in use by container "${held.id}"`);
    }
    throw rpcError(
      takenName,
      `failed to reserve ${this.kind} name "${name}"${hint}: name "${name}" is reserved for "${held.id}"`,
    );
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
