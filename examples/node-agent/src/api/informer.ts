import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import type { Api, Resource, Scope } from "./api.js";
import { statusCode } from "./connection.js";
import { keyOf } from "./types.js";

export interface InformerOptions<T> {
  /** Which objects. @defaultValue those of all namespaces */
  scope?: Scope;
  /**
   * Whether the first list may be some seconds old. Such a list costs the API server much less, because it does not ask etcd. The
   * watch then brings what the list lacks.
   */
  mayBeStale?: boolean;
  /** Groups objects for {@link Informer.grouped}. */
  groupBy?: (object: T) => string;
  /** Is called after each change of an object, with the object before or after it. */
  onChange: (object: T) => void;
  onError: (error: unknown) => void;
}

/** The shortest time that one watch lasts. The longest is twice as long, so that many agents do not come back at the same time. */
export const watchSeconds = 300;

/** Keeps a copy of objects: lists them, watches them, and begins anew after any failure. */
export class Informer<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #groups = new Map<string, Map<string, T>>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** The version up to which the copy has all changes. */
  #resourceVersion: string | undefined;
  #isSynced = false;
  #connectedAt: number | undefined;

  constructor(
    private readonly api: Api,
    private readonly type: Resource<T>,
    private readonly options: InformerOptions<T>,
  ) {}

  /** Whether all objects have been listed once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Since when the copy has followed the API server without an interruption. */
  get connectedAt(): number | undefined {
    return this.#connectedAt;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  /** Returns the objects of one group by their keys. */
  grouped(group: string): ReadonlyMap<string, T> {
    return this.#groups.get(group) ?? new Map();
  }

  /** Puts the result of a write into the copy, unless the watch has brought a newer one. Returns whether it did. */
  put(object: T): boolean {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known?.metadata?.uid === object.metadata?.uid && known && version(known) >= version(object)) return false;
    this.#objects.set(key, object);
    const group = this.options.groupBy?.(object);
    if (group === undefined) return true;
    const members = this.#groups.get(group) ?? new Map<string, T>();
    this.#groups.set(group, members.set(key, object));
    return true;
  }

  /** Removes an object from the copy that this process has deleted. Returns whether it was there. */
  drop(object: T): boolean {
    const key = keyOf(object);
    const group = this.options.groupBy?.(object) ?? "";
    const members = this.#groups.get(group);
    if (members?.delete(key) && members.size === 0) this.#groups.delete(group);
    return this.#objects.delete(key);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        this.#resourceVersion ??= await this.#list();
        await this.#watch(this.#resourceVersion);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        this.#connectedAt = undefined;
        // 410: the server has forgotten the version to continue from.
        if (statusCode(error) === 410) this.#resourceVersion = undefined;
        else this.options.onError(error);
      }
      // Many agents lose the server at the same time, and must not come back at the same time. A busy server may end watches at once.
      const delayMs = Math.min(125 * 2 ** failures, 15_000) * (0.5 + Math.random() / 2);
      await sleep(delayMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Replaces the copy by a list, and returns the version of the list. */
  async #list(): Promise<string> {
    const { scope, mayBeStale } = this.options;
    const { items, resourceVersion } = await this.api.list(this.type, {
      ...scope,
      ...(mayBeStale && { resourceVersion: "0" }),
    });
    const listed = new Set(items.map(keyOf));
    const gone = this.all().filter((object) => !listed.has(keyOf(object)) && this.drop(object));
    const changed = items.filter((object) => this.put(object));
    this.#isSynced = true;
    this.#connectedAt ??= Date.now();
    // When all are replaced, so that no reader finds a mixture of two states.
    for (const object of [...gone, ...changed]) this.options.onChange(object);
    return resourceVersion;
  }

  /** Applies the changes since a version, until the server ends the watch. */
  async #watch(resourceVersion: string): Promise<void> {
    const timeoutSeconds = Math.round(watchSeconds * (1 + Math.random()));
    const options = { resourceVersion, timeoutSeconds, ...this.options.scope };
    for await (const { type, object } of this.api.watch(this.type, options, this.#stopping.signal)) {
      this.#connectedAt ??= Date.now();
      this.#resourceVersion = object.metadata?.resourceVersion;
      if (type === "BOOKMARK") continue;
      const isNews = type === "DELETED" ? this.drop(object) : this.put(object);
      if (isNews) this.options.onChange(object);
    }
  }
}

/** Versions are opaque by their documentation, but etcd's are numbers that grow; Kubernetes 1.35 promises it. */
function version({ metadata }: KubernetesObject): bigint {
  return BigInt(metadata?.resourceVersion || 0);
}
