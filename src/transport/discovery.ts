import { EndpointError, type TriedEndpoint } from "../errors.js";
import { linkAbort, untilAborted } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";
import type { Candidate, DiscoverOptions } from "./discover-options.js";
import { DiscoveryContext, type Located, type NodePath } from "./discovery-context.js";
import { type Endpoint, parseEndpoint } from "./endpoint.js";
import { permissionDenied } from "./socket-access.js";
import { wellKnownSockets } from "./well-known-sockets.js";

/** The endpoints that discovery found. */
export interface DiscoveredEndpoints {
  endpoint: Endpoint;
  /** Where {@link endpoint} was found: the name of a variable, the path of a file, or `well-known sockets`. */
  source: string;
  /** The image service's endpoint; the runtime's, unless the configuration names another one. */
  imageEndpoint: Endpoint;
  imageSource: string;
  /** The sources that discovery checked, in order. `endpoint` is empty where a source names none. */
  tried: readonly TriedEndpoint[];
}

/**
 * Finds the node's runtime in the same places as crictl, but faster, and explains a failure. The first of these sources decides:
 *
 * 1. `CONTAINER_RUNTIME_ENDPOINT`
 * 2. `runtime-endpoint` in crictl's configuration file
 * 3. the first well-known socket that accepts a connection: containerd, CRI-O, cri-dockerd, k3s and rke2, k0s, microk8s. A server
 *    that answers Version without CRI v1 is skipped, such as Docker's containerd with its cri plugin disabled. A server that does
 *    not answer is used: it may still be starting, and the next socket would belong to another runtime
 *
 * An endpoint from a variable or the file is final. Discovery does not connect to it, and uses no other endpoint if it fails.
 *
 * ```ts
 * const endpoint = await discoverEndpoint(); // "unix:///run/containerd/containerd.sock"
 * ```
 *
 * @returns the endpoint in its canonical spelling, fit for `ConnectOptions.endpoint`
 * @throws {@link EndpointError} with code `NO_ENDPOINT`, which lists the sources that were tried and the remedy
 * @throws {@link InvalidInputError} if an option is invalid, or if a variable or the configuration file contains an invalid
 *   endpoint
 */
export async function discoverEndpoint(options: DiscoverOptions = {}): Promise<string> {
  const found = await withSignal(options, async (context) => {
    const runtime = await runtimeEndpoint(context, []);
    await context.warnIfReplaceable(runtime);
    return runtime;
  });
  return found.endpoint.display;
}

/**
 * Finds the endpoints of both services. The first of these sources decides about the image service:
 *
 * 1. `IMAGE_SERVICE_ENDPOINT`
 * 2. the runtime's endpoint, if `CONTAINER_RUNTIME_ENDPOINT` is set. crictl's configuration file is not read, because it may name
 *    another runtime, which has other images
 * 3. `image-endpoint` in crictl's configuration file
 * 4. the runtime's endpoint
 *
 * @param image the image service's endpoint, if it is known already
 */
export function discoverEndpoints(options: DiscoverOptions = {}, image?: Endpoint): Promise<DiscoveredEndpoints> {
  return withSignal(options, (context) =>
    bothEndpoints(context, image && { endpoint: image, source: "option", reliesOn: [] }),
  );
}

/** Runs discovery, and rejects as soon as the caller's signal aborts. */
async function withSignal<T>(options: DiscoverOptions, find: (context: DiscoveryContext) => Promise<T>): Promise<T> {
  const context = new DiscoveryContext(options);
  options.signal?.throwIfAborted();
  return untilAborted(find(context), options.signal);
}

async function bothEndpoints(context: DiscoveryContext, knownImage: Found | undefined): Promise<DiscoveredEndpoints> {
  const tried: TriedEndpoint[] = [];
  const runtime = await runtimeEndpoint(context, tried);
  const strategies = runtime.source === runtimeVariable ? [imageVariable] : [imageVariable, imageConfig];
  const image = knownImage ?? (await firstOf(strategies, context, [])) ?? runtime;
  await context.warnIfReplaceable(runtime, image);
  return {
    endpoint: runtime.endpoint,
    source: runtime.source,
    imageEndpoint: image.endpoint,
    imageSource: image.source,
    tried,
  };
}

interface Found {
  endpoint: Endpoint;
  source: string;
  /** The files that decide which endpoint is used. */
  reliesOn: readonly NodePath[];
}

/** Checks one source, and adds the outcome to `tried`. Returns `undefined` if the next source decides. */
type Strategy = (context: DiscoveryContext, tried: TriedEndpoint[]) => Found | undefined | Promise<Found | undefined>;

const runtimeVariable = "CONTAINER_RUNTIME_ENDPOINT";

const runtimeStrategies: readonly Strategy[] = [
  fromVariable(runtimeVariable),
  fromCrictlConfig("runtimeEndpoint", "runtime-endpoint"),
  fromWellKnownSockets,
];

const imageVariable = fromVariable("IMAGE_SERVICE_ENDPOINT");
const imageConfig = fromCrictlConfig("imageEndpoint", "image-endpoint");

function fromVariable(name: string): Strategy {
  return ({ options, env, platform }, tried) => {
    const text = env[name];
    if (!text) {
      tried.push({ endpoint: "", source: name, outcome: "not set" });
      return undefined;
    }
    const endpoint = parseEndpoint(text, { field: name, allowInsecureTcp: options.allowInsecureTcp, platform });
    tried.push({ endpoint: endpoint.display, source: name, outcome: "used" });
    return { endpoint, source: name, reliesOn: filesOf(endpoint, "/") };
  };
}

function fromCrictlConfig(property: "runtimeEndpoint" | "imageEndpoint", key: string): Strategy {
  return async (context, tried) => {
    const { options, platform } = context;
    const { path: source, explicit, onNode } = await context.configLocation();
    const config = await context.crictlConfig();
    const text = config?.[property];
    if (!text) {
      tried.push({ endpoint: "", source, outcome: config ? `sets no ${key}` : "no such file" });
      return undefined;
    }
    const field = `${key} in ${source}`;
    const named = parseEndpoint(text, { field, allowInsecureTcp: options.allowInsecureTcp, platform });
    const endpoint = explicit || named.kind !== "unix" ? named : await context.locateConfigured(named, field);
    tried.push({ endpoint: endpoint.display, source, outcome: "used" });
    return { endpoint, source, reliesOn: [onNode, ...filesOf(named, onNode.root)] };
  };
}

/** Probes all sockets at the same time, and awaits the results in the order of the list until one of them is accepted. */
async function fromWellKnownSockets(context: DiscoveryContext, tried: TriedEndpoint[]): Promise<Found | undefined> {
  const source = "well-known sockets";
  const sockets = wellKnownSockets(context.platform).map(({ endpoint }) => endpoint);
  const located = await Promise.all(
    sockets.map((endpoint): Located | Promise<Located> =>
      endpoint.kind === "unix" ? context.locate(endpoint) : { endpoint },
    ),
  );
  const link = linkAbort(context.options.signal);
  const stopTimer = startTimer(context.probeTimeoutMs, () => link.abort(undefined));
  try {
    const probes = located.map(
      async ({ endpoint, problem }): Promise<Candidate> =>
        problem === undefined ? context.probe(endpoint, link.signal) : { reachable: false, outcome: problem },
    );
    for (const probe of probes) probe.catch(() => {}); // a probe that is no longer awaited may reject
    let found: Found | undefined;
    for (const [index, { endpoint }] of located.entries()) {
      const candidate = found === undefined ? await probes[index] : undefined;
      const isAccepted = candidate?.reachable && candidate.speaksCri !== false;
      if (isAccepted) found = { endpoint, source, reliesOn: filesOf(sockets[index], context.root) };
      const outcome = candidate?.outcome ?? "not waited for";
      const verdict = candidate?.speaksCri ? "used" : isAccepted ? `used: ${outcome}` : outcome;
      tried.push({ endpoint: endpoint.display, source, outcome: verdict });
    }
    return found;
  } finally {
    stopTimer();
    link.abort(undefined);
    link.unlink();
  }
}

/** Returns the file of an endpoint, if the endpoint is a socket. */
function filesOf(endpoint: Endpoint | undefined, root: string): NodePath[] {
  return endpoint?.kind === "unix" ? [{ path: endpoint.path, root }] : [];
}

async function runtimeEndpoint(context: DiscoveryContext, tried: TriedEndpoint[]): Promise<Found> {
  const found = await firstOf(runtimeStrategies, context, tried);
  if (found === undefined) throw nothingFound(tried);
  return found;
}

async function firstOf(
  strategies: readonly Strategy[],
  context: DiscoveryContext,
  tried: TriedEndpoint[],
): Promise<Found | undefined> {
  for (const strategy of strategies) {
    const found = await strategy(context, tried);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nothingFound(tried: readonly TriedEndpoint[]): EndpointError {
  const denied = tried.filter(({ outcome }) => outcome.startsWith(permissionDenied)).map(({ endpoint }) => endpoint);
  const headline = denied.length > 0 ? `no permission to use ${denied.join(" or ")}` : "no container runtime found";
  const steps = tried.map(({ endpoint, source, outcome }) => `  ${endpoint || source}: ${outcome}`);
  const remedy =
    denied.length > 0
      ? "Gain access as described above, or name another endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option."
      : "Start the runtime, or name its endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option. In a container, mount the node's socket.";
  return new EndpointError({
    code: "NO_ENDPOINT",
    message: [`${headline}. Tried, in this order:`, ...steps, remedy],
    tried,
  });
}
