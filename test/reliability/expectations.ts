import type { OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import type { Operation } from "./operation.js";
import type { ServerTruth } from "./server-truth.js";

/** A handle that owns something, and what was done with it. */
export interface Owned {
  readonly kind: "pod" | "container";
  readonly handle: OwnedPodSandbox | OwnedContainer;
  readonly operation: Operation;
  readonly podId: string | undefined;
  /** The disposal of it, if one was begun. */
  disposal: Operation | undefined;
  released: boolean;
}

export type OwnedPod = Owned & { readonly handle: OwnedPodSandbox };
export type OwnedOneContainer = Owned & { readonly handle: OwnedContainer };

/**
 * The model: of every pod and container that the client gave out, whether it is certainly there, certainly gone, or in doubt,
 * after all that was asked for and answered.
 */
export class Expectations {
  readonly owned: Owned[] = [];
  /** Operations that were asked to remove a thing, by its id. */
  readonly #removals = new Map<string, Operation[]>();
  /** Operations that may remove a thing on the way to something else. */
  readonly #sideEffects = new Map<string, Operation[]>();
  #stateLostAt = -Infinity;

  get pods(): OwnedPod[] {
    return this.owned.filter((one) => one.kind === "pod") as OwnedPod[];
  }

  get containers(): OwnedOneContainer[] {
    return this.owned.filter((one) => one.kind === "container") as OwnedOneContainer[];
  }

  removal(id: string, operation: Operation): void {
    this.#removals.set(id, [...(this.#removals.get(id) ?? []), operation]);
  }

  sideEffect(id: string, operation: Operation): void {
    this.#sideEffects.set(id, [...(this.#sideEffects.get(id) ?? []), operation]);
  }

  stateLost(): void {
    this.#stateLostAt = performance.now();
  }

  wasStateLostSince(at: number): boolean {
    return this.#stateLostAt >= at;
  }

  /** What must be the case of a thing that was given out. */
  of(owned: Owned): "present" | "absent" | "in doubt" {
    const ids = [owned.handle.id, ...(owned.podId === undefined ? [] : [owned.podId])];
    const removals = ids.flatMap((id) => this.#removals.get(id) ?? []);
    if (removals.some(({ fulfilled }) => fulfilled)) return "absent";
    if (this.wasStateLostSince(owned.operation.startedAt)) return "in doubt";
    const others = [...removals, ...ids.flatMap((id) => this.#sideEffects.get(id) ?? [])];
    return others.every(({ deniesEffect }) => deniesEffect) ? "present" : "in doubt";
  }

  /** Holds the model against what is there. */
  compare(truth: ServerTruth, violate: (message: string) => void): void {
    for (const owned of this.owned) {
      const { kind, handle, operation } = owned;
      const expected = this.of(owned);
      if (expected === "present" && !truth.has(handle.id))
        violate(`${kind} ${handle.id} of ${operation} is gone, and nobody removed it`);
      if (expected === "absent" && truth.has(handle.id))
        violate(`${kind} ${handle.id} of ${operation} is there, though its removal succeeded`);
    }
  }
}
