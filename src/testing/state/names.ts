import type { ServerError } from "nice-grpc-common";
import { onAbort } from "../../internal/abort.js";
import type { ContainerMetadata, PodSandboxMetadata } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { rpcError } from "../handlers.js";

/** The kinds of objects with names. */
export type Kind = "sandbox" | "container";

interface Reservation {
  readonly id: string;
  /** Whether the creation has succeeded. */
  created: boolean;
}

/** The objects that hold the names of a {@link NameRegistry}. */
export interface NameHolders {
  /** Returns whether an object with this id exists. */
  exists(id: string): boolean;
  /** Removes the object with this id, unless it runs. Returns whether the object was removed. */
  removeIdle(id: string): boolean;
}

/** Reserves the names of pods and containers in a runtime. Each name has one holder. */
export class NameRegistry {
  readonly #reservations = new Map<string, Reservation>();

  constructor(
    private readonly kind: Kind,
    private readonly flavor: FlavorProfile,
    private readonly holders: NameHolders,
  ) {}

  /**
   * Reserves a name, runs the creation, and releases the name if the creation leaves no object. If the name is taken, the result
   * depends on the runtime:
   *
   * - containerd fails.
   * - Docker fails, and removes a holder that does not run.
   * - CRI-O returns the id of the holder. If the holder is still being created, the call waits for its deadline and fails, and
   *   only a later call gets the id.
   */
  async create(name: string, id: string, signal: AbortSignal, create: () => Promise<void>): Promise<string> {
    const held = this.#reservations.get(name);
    if (held) return this.#resolveTaken(name, id, held, signal);
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

  /** Reserves a name for an object that was not created by a call. */
  hold(name: string, id: string): void {
    this.#reservations.set(name, { id, created: true });
  }

  /** Returns the id of the holder of a name. */
  holder(name: string): string | undefined {
    return this.#reservations.get(name)?.id;
  }

  release(name: string): void {
    this.#reservations.delete(name);
  }

  async #resolveTaken(name: string, id: string, held: Reservation, signal: AbortSignal): Promise<string> {
    if (this.flavor.takenName === "holder") {
      if (held.created) return held.id;
      await abortOf(signal);
      throw this.#stalledError(name, id, held);
    }
    if (this.flavor.removesIdleHolder && this.holders.removeIdle(held.id)) this.release(name);
    throw this.#conflictError(name, held.id, this.flavor.takenName);
  }

  #stalledError(name: string, id: string, { created }: Reservation): ServerError {
    const [subject, abbreviation] = this.kind === "sandbox" ? ["sandbox", "pod"] : ["container", "ctr"];
    const ready = `the requested ${subject} ${name} is now ready and will be provided to the kubelet on next retry`;
    const stage = `Currently at stage ${subject} creating: ${created ? ready : "context deadline exceeded"}`;
    return rpcError(
      "UNKNOWN",
      `kubelet may be retrying requests that are timing out in CRI-O due to system load. ${stage}: ` +
        `error reserving ${abbreviation} name ${name} for id ${id}: name is reserved`,
    );
  }

  #conflictError(name: string, holder: string, code: "UNKNOWN" | "FAILED_PRECONDITION"): ServerError {
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

/** Returns the name of a sandbox. */
export function sandboxName(metadata: PodSandboxMetadata, flavor: FlavorProfile): string {
  const { name, namespace, uid, attempt } = metadata;
  return `${flavor.namePrefix.sandbox}${name}_${namespace}_${uid}_${attempt}`;
}

/** Returns the name of a container. */
export function containerName(metadata: ContainerMetadata, pod: PodSandboxMetadata, flavor: FlavorProfile): string {
  return `${flavor.namePrefix.container}${metadata.name}_${pod.name}_${pod.namespace}_${pod.uid}_${metadata.attempt}`;
}

/**
 * Returns the error message of a runtime that cannot parse a name. Returns undefined if the runtime can parse the name, or does
 * not parse names.
 */
export function nameParseError(kind: Kind, name: string, { parsesNames }: FlavorProfile): string | undefined {
  const parts = name.split("_");
  const attempt = parts[5] ?? "";
  if (!parsesNames || parts.length === 6) return undefined;
  // The seventh part is a suffix that very old versions of Docker added.
  if (parts.length !== 7) return `failed to parse the ${kind} name: "${name}"`;
  if (/^\d+$/.test(attempt)) return undefined;
  return `failed to parse the ${kind} name "${name}": strconv.ParseUint: parsing "${attempt}": invalid syntax`;
}
