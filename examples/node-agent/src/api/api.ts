import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import {
  ApiException,
  CustomObjectsApi,
  createConfiguration,
  type EventsV1Event,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  PatchStrategy,
  type RequestContext,
  type ResponseContext,
  ServerConfiguration,
  setHeaderOptions,
  type V1Lease,
  type V1ObjectMeta,
} from "@kubernetes/client-node";
import { group, type NodeTask, type NodeTaskResult } from "./types.js";

/** A type of namespaced objects. */
export interface Resource<T extends KubernetesObject> {
  group: string;
  version: string;
  kind: string;
  plural: string;
  /** Only for the type. */
  of?: T;
}

export const tasks: Resource<NodeTask> = { group, version: "v1", kind: "NodeTask", plural: "nodetasks" };
export const results: Resource<NodeTaskResult> = {
  ...{ group, version: "v1", kind: "NodeTaskResult", plural: "nodetaskresults" },
};
export const leases: Resource<V1Lease> = {
  ...{ group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases" },
};
export const events: Resource<EventsV1Event> = {
  ...{ group: "events.k8s.io", version: "v1", kind: "Event", plural: "events" },
};

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  resourceVersion?: string;
  limit?: number;
  _continue?: string;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  /** The watch begins after it. */
  resourceVersion: string;
  timeoutSeconds: number;
}

/** The object of a BOOKMARK has only a version. */
export interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

/** How long a watch waits for its response, and then for each event. The API server sends a bookmark about once a minute. */
const watchLimits = { responseMs: 15_000, silenceMs: 100_000 };

type HttpAgent = NonNullable<ReturnType<RequestContext["getAgent"]>>;

/** The few requests of the agent and the controller. A request that has no answer within ten seconds fails. */
export class Api {
  readonly #objects: CustomObjectsApi;
  readonly #config: KubeConfig;
  #agent: HttpAgent | undefined;

  /** @param onResponse is called with the HTTP status of each response */
  constructor(
    config: KubeConfig,
    onResponse: (status: number) => void = () => {},
    private readonly limits = watchLimits,
  ) {
    const middleware = {
      pre: async (context: RequestContext) => {
        context.setSignal(AbortSignal.timeout(10_000));
        // client-node creates an agent for each request, which connects anew. This one keeps its connections.
        this.#agent ??= context.getAgent() && Object.assign(context.getAgent() as HttpAgent, { keepAlive: true });
        if (this.#agent) context.setAgent(this.#agent);
        return context;
      },
      post: async (response: ResponseContext) => {
        onResponse(response.httpStatusCode);
        return response;
      },
    };
    const baseServer = new ServerConfiguration(config.getCurrentCluster()?.server ?? "", {});
    const configuration = { baseServer, authMethods: { default: config }, promiseMiddleware: [middleware] };
    this.#objects = new CustomObjectsApi(createConfiguration(configuration));
    this.#config = config;
  }

  /** Lists the objects of one namespace, or of all. */
  async list<T extends KubernetesObject>(
    type: Resource<T>,
    { namespace, ...options }: ListOptions,
  ): Promise<KubernetesListObject<T>> {
    if (namespace === undefined) return await this.#objects.listCustomObjectForAllNamespaces({ ...type, ...options });
    return await this.#objects.listNamespacedCustomObject({ ...type, ...options, namespace });
  }

  /** Returns `undefined` if there is no such object. */
  async get<T extends KubernetesObject>(type: Resource<T>, object: Named): Promise<T | undefined> {
    return await ifFound(this.#objects.getNamespacedCustomObject({ ...type, ...object }));
  }

  /** Creates or changes an object by server-side apply: the fields are those that the manager wants, and no others. */
  async apply<T extends KubernetesObject>(type: Resource<T>, object: PartOf<T>, fieldManager: string): Promise<T> {
    const { namespace, name } = object.metadata;
    const body = { apiVersion: `${type.group}/${type.version}`, kind: type.kind, ...object };
    const request = { ...type, namespace, name, body, fieldManager, force: true };
    const options = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
    return "status" in object
      ? await this.#objects.patchNamespacedCustomObjectStatus(request, options)
      : await this.#objects.patchNamespacedCustomObject(request, options);
  }

  /** Changes an object by a merge patch. Does nothing if there is no such object. */
  async merge<T extends KubernetesObject>(type: Resource<T>, object: Named, body: object): Promise<T | undefined> {
    const options = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    return await ifFound(this.#objects.patchNamespacedCustomObject({ ...type, ...object, body }, options));
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
    const body = { apiVersion: `${type.group}/${type.version}`, kind: type.kind, ...object };
    return await this.#objects.createNamespacedCustomObject({ ...type, namespace, body });
  }

  /** Replaces the version of an object that was read. Fails with 409 if another one was written meanwhile. */
  async replace<T extends KubernetesObject>(type: Resource<T>, object: Named, body: T): Promise<T> {
    return await this.#objects.replaceNamespacedCustomObject({ ...type, ...object, body });
  }

  /** Returns the object if finalizers hold it. Does nothing if there is no such object. */
  async delete<T extends KubernetesObject>(type: Resource<T>, object: Named): Promise<T | undefined> {
    const answer: T | undefined = await ifFound(this.#objects.deleteNamespacedCustomObject({ ...type, ...object }));
    return answer?.kind === type.kind ? answer : undefined;
  }

  /**
   * Watches the objects of one namespace, or of all, until the server ends the watch or the signal aborts. A server that sends nothing
   * for too long has stopped to answer, and the watch fails.
   */
  async *watch<T extends KubernetesObject>(
    { group, version, plural }: Resource<T>,
    { namespace, ...query }: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const url = new URL(`${this.#config.getCurrentCluster()?.server}/apis/${group}/${version}${scope}/${plural}`);
    const parameters = { ...query, watch: true, allowWatchBookmarks: true };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
    const options: RequestOptions = { signal, timeout: this.limits.responseMs };
    await this.#config.applyToHTTPSOptions(options);
    let response: IncomingMessage | undefined;
    const request = (url.protocol === "http:" ? http : https).request(url, options);
    request.on("timeout", () =>
      (response ?? request).destroy(new Error("the API server has sent nothing for too long")),
    );
    // The response fails, too.
    request.on("error", () => {});
    [response] = (await once(request.end(), "response")) as [IncomingMessage];
    request.setTimeout(this.limits.silenceMs);
    if (response.statusCode !== 200) throw new ApiException(response.statusCode ?? 0, "", await text(response), {});
    let rest = "";
    for await (const chunk of response.setEncoding("utf8")) {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield eventOf(line);
    }
  }
}

export interface Named {
  namespace: string;
  name: string;
}

type PartOf<T extends KubernetesObject> = Partial<Omit<T, "metadata">> & { metadata: V1ObjectMeta & Named };

/** Returns the HTTP status of an error of the API server. */
export function statusCode(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/** Returns the message of the API server, without the headers that client-node adds. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiException) {
    try {
      return `${error.code} ${JSON.parse(error.body).message}`;
    } catch {
      return `HTTP status ${error.code}`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

function eventOf<T>(line: string): WatchEvent<T> {
  const event = JSON.parse(line);
  // Its object is a Status.
  if (event.type === "ERROR") throw new ApiException(event.object.code, "", JSON.stringify(event.object), {});
  return event;
}

async function ifFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusCode(error) === 404) return undefined;
    throw error;
  }
}
