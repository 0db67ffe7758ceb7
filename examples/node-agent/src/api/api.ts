import { json } from "node:stream/consumers";
import type { EventsV1Event, KubeConfig, KubernetesObject, V1Lease, V1ObjectMeta } from "@kubernetes/client-node";
import { ApiError, type ApiRequest, Connection, statusCode } from "./connection.js";
import { group, type NodeTask, type NodeTaskResult } from "./types.js";

/** A type of namespaced objects, which all have the version v1 here. */
export interface Resource<T extends KubernetesObject> {
  group: string;
  kind: string;
  plural: string;
  /** Only for the type. */
  of?: T;
}

export const tasks: Resource<NodeTask> = { group, kind: "NodeTask", plural: "nodetasks" };
export const results: Resource<NodeTaskResult> = { group, kind: "NodeTaskResult", plural: "nodetaskresults" };
export const leases: Resource<V1Lease> = { group: "coordination.k8s.io", kind: "Lease", plural: "leases" };
export const events: Resource<EventsV1Event> = { group: "events.k8s.io", kind: "Event", plural: "events" };

export interface Named {
  namespace: string;
  name: string;
}

/** Which objects: those of one namespace, or of all; with these labels, or with any. */
export interface Scope {
  namespace?: string;
  labelSelector?: string;
}

export interface ListOptions extends Scope {
  resourceVersion?: "0";
}

export interface List<T> {
  items: T[];
  resourceVersion: string;
}

/** A list as the API server sends it. */
interface Page<T> {
  items: T[];
  metadata: { resourceVersion: string; continue?: string };
}

export interface WatchOptions extends Scope {
  /** The watch begins after it. */
  resourceVersion: string;
  timeoutSeconds: number;
}

/** The object of a BOOKMARK has only a version. */
export interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

type PartOf<T extends KubernetesObject> = Partial<Omit<T, "metadata">> & { metadata: V1ObjectMeta & Named };

const requestMs = 10_000;
const pageSize = 500;
/** How long a watch waits for its response, and then for each event. The API server sends a bookmark about once a minute. */
const watchLimits = { responseMs: 15_000, silenceMs: 100_000 };
const mergePatch = "application/merge-patch+json";
const serverSideApply = "application/apply-patch+yaml";

/** The few requests of the agent and the controller. A request that has no answer within ten seconds fails. */
export class Api {
  readonly #connection: Connection;

  /** @param onResponse is called with the HTTP status of each response */
  constructor(
    config: KubeConfig,
    onResponse: (status: number) => void = () => {},
    private readonly limits = watchLimits,
  ) {
    this.#connection = new Connection(config, onResponse);
  }

  /** Lists objects in pages. A list from version 0 may be some seconds old, and costs much less: it does not ask etcd. */
  async list<T extends KubernetesObject>(type: Resource<T>, { namespace, ...options }: ListOptions): Promise<List<T>> {
    const path = pathOf(type, { namespace });
    const items: T[] = [];
    let query: object = { ...options, limit: pageSize };
    for (;;) {
      const page: Page<T> = await this.#send({ path, query });
      items.push(...page.items);
      const { resourceVersion, continue: next } = page.metadata;
      if (!next) return { items, resourceVersion };
      query = { labelSelector: options.labelSelector, limit: pageSize, continue: next };
    }
  }

  /** Returns `undefined` if there is no such object. */
  async get<T extends KubernetesObject>(type: Resource<T>, object: Named): Promise<T | undefined> {
    return await ifFound(this.#send<T>({ path: pathOf(type, object) }));
  }

  /** Creates or changes an object by server-side apply: the fields are those that the manager wants, and no others. */
  async apply<T extends KubernetesObject>(type: Resource<T>, object: PartOf<T>, fieldManager: string): Promise<T> {
    const path = `${pathOf(type, object.metadata)}${"status" in object ? "/status" : ""}`;
    const query = { fieldManager, force: true };
    return await this.#send({ method: "PATCH", path, query, body: typed(type, object), contentType: serverSideApply });
  }

  /** Changes an object by a merge patch. Does nothing if there is no such object. */
  async merge<T extends KubernetesObject>(type: Resource<T>, object: Named, body: object): Promise<T | undefined> {
    return await ifFound(this.#send<T>({ method: "PATCH", path: pathOf(type, object), body, contentType: mergePatch }));
  }

  /** Removes a finalizer, and leaves those of others. Does nothing if there is no such object. */
  async removeFinalizer(type: Resource<KubernetesObject>, object: Named, finalizer: string): Promise<void> {
    const { resourceVersion, finalizers = [] } = (await this.get(type, object))?.metadata ?? {};
    if (!finalizers.includes(finalizer)) return;
    // The version makes the server refuse the patch if somebody else has changed the list meanwhile.
    const metadata = { resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) };
    await this.merge(type, object, { metadata });
  }

  async create<T extends KubernetesObject>(type: Resource<T>, namespace: string, object: object): Promise<T> {
    return await this.#send({ method: "POST", path: pathOf(type, { namespace }), body: typed(type, object) });
  }

  /** Replaces the version of an object that was read. Fails with 409 if another one was written meanwhile. */
  async replace<T extends KubernetesObject>(type: Resource<T>, object: Named, body: T): Promise<T> {
    return await this.#send({ method: "PUT", path: pathOf(type, object), body });
  }

  /** Returns the object if finalizers hold it. Does nothing if there is no such object. */
  async delete<T extends KubernetesObject>(type: Resource<T>, object: Named): Promise<T | undefined> {
    const answer = await ifFound(this.#send<T>({ method: "DELETE", path: pathOf(type, object) }));
    return answer?.kind === type.kind ? answer : undefined;
  }

  /** Watches objects until the server ends the watch or the signal aborts. Fails if the server sends nothing for too long. */
  async *watch<T extends KubernetesObject>(
    type: Resource<T>,
    { namespace, ...options }: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const query = { ...options, watch: true, allowWatchBookmarks: true };
    const path = pathOf(type, { namespace });
    const response = await this.#connection.open({ path, query, signal, timeoutMs: this.limits.responseMs });
    response.setTimeout(this.limits.silenceMs);
    let rest = "";
    for await (const chunk of response.setEncoding("utf8")) {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield eventOf(line);
    }
  }

  async #send<T>(request: Omit<ApiRequest, "timeoutMs" | "signal">): Promise<T> {
    const signal = AbortSignal.timeout(requestMs);
    return (await json(await this.#connection.open({ ...request, signal, timeoutMs: requestMs }))) as T;
  }
}

function pathOf(
  { group, plural }: Resource<KubernetesObject>,
  object: { namespace?: string | undefined; name?: string },
): string {
  const namespace = object.namespace === undefined ? "" : `/namespaces/${object.namespace}`;
  const name = object.name === undefined ? "" : `/${object.name}`;
  return `/apis/${group}/v1${namespace}/${plural}${name}`;
}

function typed({ group, kind }: Resource<KubernetesObject>, object: object): object {
  return { apiVersion: `${group}/v1`, kind, ...object };
}

function eventOf<T>(line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line);
  // The object is a Status.
  if (type === "ERROR") throw new ApiError(object.code, JSON.stringify(object));
  return { type, object };
}

async function ifFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusCode(error) === 404) return undefined;
    throw error;
  }
}
