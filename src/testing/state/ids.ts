import { createHash, randomBytes } from "node:crypto";
import type { FlavorProfile } from "../flavors/profile.js";
import type { RpcName } from "../rpcs.js";

/** Makes the 64 hexadecimal digits that runtimes name things with; the same ones again for the same seed. */
export class IdSource {
  #count = 0;

  constructor(private readonly seed: string | number | undefined) {}

  next(): string {
    if (this.seed === undefined) return randomBytes(32).toString("hex");
    return sha256(`${this.seed}:${this.#count++}`);
  }

  /** Eight characters, as in the URLs of streaming sessions. */
  token(): string {
    return Buffer.from(this.next().slice(0, 12), "hex").toString("base64url");
  }
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Things by id, in the order of their creation. A prefix that fits one id only stands for it. */
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

  /** The thing that an id or a prefix names. An empty or ambiguous one throws what the runtime answers to this RPC. */
  find(id: string, rpc: RpcName): T | undefined {
    const exact = this.#items.get(id);
    if (exact) return exact;
    const fitting = this.all.filter((item) => item.id.startsWith(id));
    if (id === "" || fitting.length > 1) throw this.flavor.errors.unclear(rpc, id);
    return fitting[0];
  }

  /** Like {@link find}, and throws if there is nothing. */
  get(id: string, rpc: RpcName): T {
    const item = this.find(id, rpc);
    if (!item) throw this.flavor.errors.missing(rpc, id);
    return item;
  }

  /** Like {@link find}, and throws if there is nothing and the runtime minds that. */
  findToEnd(id: string, rpc: RpcName): T | undefined {
    return this.flavor.failsOnMissing.includes(rpc) ? this.get(id, rpc) : this.find(id, rpc);
  }

  /** The full id for a filter; a filter that names nothing stays as it is and matches nothing. */
  complete(id: string): string {
    const fitting = this.all.filter((item) => item.id.startsWith(id));
    return fitting.length === 1 ? (fitting[0] as T).id : id;
  }
}

/** Whether every label of a selector is there with its value. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
