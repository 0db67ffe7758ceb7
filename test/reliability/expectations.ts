import type { OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import type { Operation } from "./operation.js";
import type { ServerTruth } from "./server-truth.js";

/** An owned handle, the operation that created it, and the one that disposes of it. */
export interface Owned {
  readonly kind: "pod" | "container";
  readonly handle: OwnedPodSandbox | OwnedContainer;
  readonly operation: Operation;
  readonly podId: string | undefined;
  /** The operation that disposes of the handle, if any. */
  disposal: Operation | undefined;
  released: boolean;
}

export type OwnedPodRecord = Owned & { readonly handle: OwnedPodSandbox };
export type OwnedContainerRecord = Owned & { readonly handle: OwnedContainer };

/** The model. Predicts from all calls and their outcomes whether each pod and container that the client returned exists. */
export class Expectations {
  readonly owned: Owned[] = [];
  /** Operations that should remove an object, by its id. */
  readonly #removals = new Map<string, Operation[]>();
  /** Operations that may remove an object as a side effect. */
  readonly #sideEffects = new Map<string, Operation[]>();
  #stateLostAt = -Infinity;

  get pods(): OwnedPodRecord[] {
    return this.owned.filter((one) => one.kind === "pod") as OwnedPodRecord[];
  }

  get containers(): OwnedContainerRecord[] {
    return this.owned.filter((one) => one.kind === "container") as OwnedContainerRecord[];
  }

  recordRemoval(id: string, operation: Operation): void {
    this.#removals.set(id, [...(this.#removals.get(id) ?? []), operation]);
  }

  recordSideEffect(id: string, operation: Operation): void {
    this.#sideEffects.set(id, [...(this.#sideEffects.get(id) ?? []), operation]);
  }

  recordStateLoss(): void {
    this.#stateLostAt = performance.now();
  }

  wasStateLostSince(at: number): boolean {
    return this.#stateLostAt >= at;
  }

  /** Predicts whether an object that the client returned exists. */
  predict(owned: Owned): "present" | "absent" | "uncertain" {
    const ids = [owned.handle.id, ...(owned.podId === undefined ? [] : [owned.podId])];
    const removals = ids.flatMap((id) => this.#removals.get(id) ?? []);
    if (removals.some(({ fulfilled }) => fulfilled)) return "absent";
    if (this.wasStateLostSince(owned.operation.startedAt)) return "uncertain";
    const others = [...removals, ...ids.flatMap((id) => this.#sideEffects.get(id) ?? [])];
    return others.every(({ claimsNoEffect }) => claimsNoEffect) ? "present" : "uncertain";
  }

  /** Compares the model with the server, and reports each difference. */
  compare(truth: ServerTruth, reportViolation: (message: string) => void): void {
    for (const owned of this.owned) {
      const { kind, handle, operation } = owned;
      const expected = this.predict(owned);
      if (expected === "present" && !truth.exists(handle.id))
        reportViolation(`${kind} ${handle.id} of ${operation} does not exist, but no call removed it`);
      if (expected === "absent" && truth.exists(handle.id))
        reportViolation(`${kind} ${handle.id} of ${operation} exists, but its removal succeeded`);
    }
  }
}
