import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { type Api, type Resource, statusCode, type WatchEvent } from "./api.js";
import { keyOf } from "./types.js";

export interface InformerOptions<T> {
  /** Which objects. @defaultValue those of all namespaces */
  scope?: { namespace?: string; labelSelector?: string };
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
/** A server that has sent nothing for this time has stopped to answer: it sends a bookmark about once a minute. */
const silenceMs = 100_000;
const pageSize = 500;

/** Keeps a copy of objects: lists them, watches them, and begins anew after any failure. */
export class Informer<T extends KubernetesObject> {
  readonly #api: Api;
  readonly #type: Resource<T>;
  readonly #options: InformerOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #groups = new Map<string, Map<string, T>>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #isSynced = false;
  #connectedAt: number | undefined;

  constructor(api: Api, type: Resource<T>, options: InformerOptions<T>) {
    this.#api = api;
    this.#type = type;
    this.#options = options;
  }

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

  /** Returns the objects of one group. */
  grouped(group: string): T[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  /** Puts the result of a write into the copy, unless the watch has brought a newer one. Returns whether it did. */
  put(object: T): boolean {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known?.metadata?.uid === object.metadata?.uid && known && version(known) >= version(object)) return false;
    this.#objects.set(key, object);
    const group = this.#options.groupBy?.(object);
    if (group === undefined) return true;
    const members = this.#groups.get(group) ?? new Map<string, T>();
    this.#groups.set(group, members.set(key, object));
    return true;
  }

  /** Removes an object from the copy that this process has deleted. Returns whether it was there. */
  drop(object: T): boolean {
    const key = keyOf(object);
    const group = this.#options.groupBy?.(object) ?? "";
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
    let resourceVersion: string | undefined;
    for (let failures = 0; !signal.aborted; ) {
      try {
        resourceVersion ??= await this.#list();
        resourceVersion = await this.#watch(resourceVersion);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#connectedAt = undefined;
        if (isExpired(error)) resourceVersion = undefined;
        else this.#options.onError(error);
        // Many agents lose the server at the same time, and must not come back at the same time.
        const delayMs = Math.min(250 * 2 ** failures++, 15_000) * (0.5 + Math.random() / 2);
        await sleep(delayMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Lists all objects in pages, replaces the copy, and returns the version of the list. */
  async #list(): Promise<string> {
    const { mayBeStale } = this.#options;
    const listed = new Map<string, T>();
    let page: { resourceVersion?: string; _continue?: string } = {};
    do {
      const list = await this.#api.list(this.#type, {
        ...this.#options.scope,
        ...(page._continue ? { _continue: page._continue } : mayBeStale && { resourceVersion: "0" }),
        limit: pageSize,
      });
      for (const object of list.items) listed.set(keyOf(object), object);
      page = { ...list.metadata, _continue: (list.metadata as { continue?: string } | undefined)?.continue ?? "" };
    } while (page._continue);
    const gone = this.all().filter((object) => !listed.has(keyOf(object)) && this.drop(object));
    const changed = [...listed.values()].filter((object) => this.put(object));
    this.#isSynced = true;
    this.#connectedAt ??= Date.now();
    // When all are replaced, so that no reader finds a mixture of two states.
    for (const object of [...gone, ...changed]) this.#options.onChange(object);
    return page.resourceVersion ?? "0";
  }

  /** Watches from a version on, and returns the version to continue from. */
  async #watch(from: string): Promise<string> {
    let resourceVersion = from;
    const { signal } = this.#stopping;
    await new Promise<void>((resolve, reject) => {
      let request: AbortController | undefined;
      let hasEnded = false;
      const end = (error?: unknown) => {
        // Aborting the request ends it once more, with an error that would hide the first one.
        if (hasEnded) return;
        hasEnded = true;
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        request?.abort();
        if (error) reject(error);
        else resolve();
      };
      const stop = () => end();
      const timer = setTimeout(() => end(new Error(`no event or bookmark for ${silenceMs / 1_000} s`)), silenceMs);
      signal.addEventListener("abort", stop);
      const onEvent = (event: WatchEvent<T>) => {
        timer.refresh();
        if (event.type === "ERROR") return end(watchError(event.object as object));
        this.#connectedAt ??= Date.now();
        resourceVersion = event.object.metadata?.resourceVersion ?? resourceVersion;
        if (event.type === "BOOKMARK") return;
        const isNews = event.type === "DELETED" ? this.drop(event.object) : this.put(event.object);
        if (isNews) this.#options.onChange(event.object);
      };
      const timeoutSeconds = Math.round(watchSeconds * (1 + Math.random()));
      const query = { resourceVersion: from, timeoutSeconds, ...this.#options.scope };
      this.#api.watch(this.#type, query, onEvent, end).then((controller) => {
        request = controller;
        if (hasEnded) controller.abort();
      }, end);
    });
    return resourceVersion;
  }
}

/** The error for a watch that the server ends with a Status. */
function watchError(status: { code?: number; message?: string }): Error {
  return Object.assign(new Error(status.message ?? "the API server ended the watch"), { statusCode: status.code });
}

/** Whether the server has forgotten the version to continue from. */
function isExpired(error: unknown): boolean {
  return statusCode(error) === 410;
}

/** Versions are opaque by their documentation, but etcd's are numbers that grow; Kubernetes 1.35 promises it. */
function version({ metadata }: KubernetesObject): bigint {
  return BigInt(metadata?.resourceVersion || 0);
}
