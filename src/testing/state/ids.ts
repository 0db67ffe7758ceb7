import { createHash, randomBytes } from "node:crypto";
import type { FlavorProfile } from "../flavors/profile.js";
import type { RpcName } from "../rpcs.js";

/** Generates ids of 64 hexadecimal digits, like the runtimes. The same seed gives the same ids. */
export class IdSource {
  #count = 0;

  constructor(private readonly seed: string | number | undefined) {}

  next(): string {
    if (this.seed === undefined) return randomBytes(32).toString("hex");
    return sha256(`${this.seed}:${this.#count++}`);
  }

  /** Generates a token of eight characters for the URL of a streaming session. */
  token(): string {
    return Buffer.from(this.next().slice(0, 12), "hex").toString("base64url");
  }
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Objects by id, in the order of their creation. A unique prefix of an id also finds the object. */
export class IdMap<T extends { readonly id: string }> {
  readonly #items = new Map<string, T>();

  constructor(protected readonly flavor: FlavorProfile) {}

  get all(): T[] {
    return [...this.#items.values()];
  }

  add(item: T): void {
    this.#items.set(item.id, item);
  }

  delete(item: T): void {
    this.#items.delete(item.id);
  }

  exists(id: string): boolean {
    return this.#items.has(id);
  }

  has(item: T): boolean {
    return this.#items.get(item.id) === item;
  }

  /** Finds an object by id or prefix. For an empty or ambiguous id, throws the runtime's error for this RPC. */
  find(id: string, rpc: RpcName): T | undefined {
    const exact = this.#items.get(id);
    if (exact) return exact;
    const matching = this.all.filter((item) => item.id.startsWith(id));
    if (id === "" || matching.length > 1) throw this.flavor.errors.ambiguousId(rpc, id);
    return matching[0];
  }

  /** Finds an object like {@link find}. Throws the runtime's error if there is no such object. */
  get(id: string, rpc: RpcName): T {
    const item = this.find(id, rpc);
    if (!item) throw this.flavor.errors.missing(rpc, id);
    return item;
  }

  /**
   * Finds an object like {@link find}, for RPCs that stop or remove it. Throws for a missing object if this RPC fails on the real
   * runtime.
   */
  findToStopOrRemove(id: string, rpc: RpcName): T | undefined {
    return this.flavor.failsOnMissing.includes(rpc) ? this.get(id, rpc) : this.find(id, rpc);
  }

  /** Completes the id of a filter. Returns an unknown or ambiguous id unchanged, so that the filter matches no object. */
  complete(id: string): string {
    const matching = this.all.filter((item) => item.id.startsWith(id));
    return matching.length === 1 ? (matching[0] as T).id : id;
  }
}

/** Returns whether the labels include every label of a selector with its value. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
