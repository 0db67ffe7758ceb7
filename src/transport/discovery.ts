import { EndpointError, type TriedEndpoint } from "../errors.js";
import { linkAbort, untilAborted } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";
import type { Candidate, DiscoverOptions } from "./discover-options.js";
import { type Endpoint, parseEndpoint } from "./endpoint.js";
import { permissionDenied } from "./socket-access.js";
import { type Located, type Place, Surroundings } from "./surroundings.js";
import { wellKnownSockets } from "./well-known-sockets.js";

/** What discovery found. */
export interface DiscoveredEndpoints {
  endpoint: Endpoint;
  /** Where {@link endpoint} came from: a variable, a file, `well-known sockets`. */
  source: string;
  /** The image service's endpoint; the runtime's unless something names another one. */
  imageEndpoint: Endpoint;
  imageSource: string;
  /** Everything that was looked at, in order. Its `endpoint` is empty where the source names none. */
  tried: readonly TriedEndpoint[];
}

/**
 * Finds the node's runtime the way crictl does, only faster and with reasons. The first of these decides:
 *
 * 1. `CONTAINER_RUNTIME_ENDPOINT`
 * 2. `runtime-endpoint` in crictl's configuration file
 * 3. the first well-known socket that accepts a connection: containerd, CRI-O, cri-dockerd, k3s and rke2, k0s, microk8s. A server that
 *    answers Version without CRI v1, such as the containerd of Docker with its cri plugin disabled, is passed over. One that does
 *    not answer is not: its runtime may still be starting, and the next one in the list would be another runtime
 *
 * What a variable or the file names is final. It is not tried here, and nothing else is used instead if it does not work.
 *
 * ```ts
 * const endpoint = await discoverEndpoint(); // "unix:///run/containerd/containerd.sock"
 * ```
 *
 * @returns the endpoint in its canonical spelling, fit for `ConnectOptions.endpoint`
 * @throws {@link EndpointError} with code `NO_ENDPOINT`, listing what was tried and what to do
 * @throws {@link InvalidInputError} if an option makes no sense, or if a variable or the configuration file holds something that is no
 *   endpoint
 */
export async function discoverEndpoint(options: DiscoverOptions = {}): Promise<string> {
  const found = await withSignal(options, async (surroundings) => {
    const runtime = await runtimeEndpoint(surroundings, []);
    await surroundings.warnOfOthers(runtime);
    return runtime;
  });
  return found.endpoint.display;
}

/**
 * Finds the endpoints of both services. The first of these decides about the image service:
 *
 * 1. `IMAGE_SERVICE_ENDPOINT`
 * 2. the runtime's endpoint, if `CONTAINER_RUNTIME_ENDPOINT` names that one. crictl's configuration file is not read: it may
 *    name another runtime, whose images the first one does not have
 * 3. `image-endpoint` in crictl's configuration file
 * 4. the runtime's endpoint
 *
 * @param image the image service's endpoint, where it is known; nothing is looked at for it then
 */
export function discoverEndpoints(options: DiscoverOptions = {}, image?: Endpoint): Promise<DiscoveredEndpoints> {
  return withSignal(options, (surroundings) =>
    bothEndpoints(surroundings, image && { endpoint: image, source: "option", reliesOn: [] }),
  );
}

/** Starts discovery, and leaves it when the caller's signal aborts. */
async function withSignal<T>(options: DiscoverOptions, find: (surroundings: Surroundings) => Promise<T>): Promise<T> {
  const surroundings = new Surroundings(options);
  options.signal?.throwIfAborted();
  return untilAborted(find(surroundings), options.signal);
}

async function bothEndpoints(surroundings: Surroundings, knownImage: Found | undefined): Promise<DiscoveredEndpoints> {
  const tried: TriedEndpoint[] = [];
  const runtime = await runtimeEndpoint(surroundings, tried);
  const strategies = runtime.source === runtimeVariable ? [imageVariable] : [imageVariable, imageConfig];
  const image = knownImage ?? (await firstOf(strategies, surroundings, [])) ?? runtime;
  await surroundings.warnOfOthers(runtime, image);
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
  /** The files that decide what is connected to. */
  reliesOn: readonly Place[];
}

/** One place to look at. It notes what it saw in `tried`, and returns nothing to let the next one have its turn. */
type Strategy = (surroundings: Surroundings, tried: TriedEndpoint[]) => Found | undefined | Promise<Found | undefined>;

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
    return { endpoint, source: name, reliesOn: placesOf(endpoint, "/") };
  };
}

function fromCrictlConfig(property: "runtimeEndpoint" | "imageEndpoint", key: string): Strategy {
  return async (surroundings, tried) => {
    const { options, platform } = surroundings;
    const { path: source, explicit, place } = await surroundings.configLocation();
    const config = await surroundings.crictlConfig();
    const text = config?.[property];
    if (!text) {
      tried.push({ endpoint: "", source, outcome: config ? `sets no ${key}` : "no such file" });
      return undefined;
    }
    const field = `${key} in ${source}`;
    const named = parseEndpoint(text, { field, allowInsecureTcp: options.allowInsecureTcp, platform });
    const endpoint = explicit || named.kind !== "unix" ? named : await surroundings.reroot(named, field);
    tried.push({ endpoint: endpoint.display, source, outcome: "used" });
    return { endpoint, source, reliesOn: [place, ...placesOf(named, place.root)] };
  };
}

/** All sockets are asked at the same time, and awaited in the order of the list until one wins. */
async function fromWellKnownSockets(surroundings: Surroundings, tried: TriedEndpoint[]): Promise<Found | undefined> {
  const source = "well-known sockets";
  const sockets = wellKnownSockets(surroundings.platform).map(({ endpoint }) => endpoint);
  const located = await Promise.all(
    sockets.map((endpoint): Located | Promise<Located> =>
      endpoint.kind === "unix" ? surroundings.locate(endpoint) : { endpoint },
    ),
  );
  const link = linkAbort(surroundings.options.signal);
  const stopTimer = startTimer(surroundings.probeTimeoutMs, () => link.abort(undefined));
  try {
    const asked = located.map(
      async ({ endpoint, problem }): Promise<Candidate> =>
        problem === undefined ? surroundings.probe(endpoint, link.signal) : { reachable: false, outcome: problem },
    );
    for (const answer of asked) answer.catch(() => {}); // a probe that is no longer awaited may reject
    let winner: Found | undefined;
    for (const [index, { endpoint }] of located.entries()) {
      const candidate = winner === undefined ? await asked[index] : undefined;
      const wins = candidate?.reachable && candidate.speaksCri !== false;
      if (wins) winner = { endpoint, source, reliesOn: placesOf(sockets[index], surroundings.root) };
      const outcome = candidate?.outcome ?? "not waited for";
      const verdict = candidate?.speaksCri ? "used" : wins ? `used: ${outcome}` : outcome;
      tried.push({ endpoint: endpoint.display, source, outcome: verdict });
    }
    return winner;
  } finally {
    stopTimer();
    link.abort(undefined);
    link.unlink();
  }
}

/** The file that an endpoint is, if it is one. */
function placesOf(endpoint: Endpoint | undefined, root: string): Place[] {
  return endpoint?.kind === "unix" ? [{ path: endpoint.path, root }] : [];
}

async function runtimeEndpoint(surroundings: Surroundings, tried: TriedEndpoint[]): Promise<Found> {
  const found = await firstOf(runtimeStrategies, surroundings, tried);
  if (found === undefined) throw nothingFound(tried);
  return found;
}

async function firstOf(
  strategies: readonly Strategy[],
  surroundings: Surroundings,
  tried: TriedEndpoint[],
): Promise<Found | undefined> {
  for (const strategy of strategies) {
    const found = await strategy(surroundings, tried);
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
      ? "Gain access as said above, or name another endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option."
      : "Start the runtime, or name its endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option. In a container, mount the node's socket.";
  return new EndpointError({
    code: "NO_ENDPOINT",
    message: [`${headline}. Tried, in this order:`, ...steps, remedy],
    tried,
  });
}
