import { resolve } from "node:path";
import { EndpointError, type TriedEndpoint } from "../errors.js";
import { type CrictlConfig, type CrictlConfigLocation, locateCrictlConfig, readCrictlConfig } from "./crictl-config.js";
import { type Endpoint, type NpipeEndpoint, parseEndpoint, type UnixEndpoint, unixEndpoint } from "./endpoint.js";
import { permissionDenied } from "./socket-access.js";
import { type ProbeResult, probeSocket } from "./socket-probe.js";
import { under, wellKnownSockets } from "./well-known-sockets.js";

/** How discovery looks around. Everything has a default that fits a program on the node itself. */
export interface DiscoverOptions {
  /** @defaultValue `process.env` */
  env?: NodeJS.ProcessEnv | undefined;
  /** Whose well-known places to look at. @defaultValue `process.platform` */
  platform?: NodeJS.Platform | undefined;
  /** crictl's configuration file; see `loadCrictlConfig` for the default. */
  configPath?: string | undefined;
  /**
   * Where the node's file system is mounted, `/host` for instance: well-known sockets, crictl's default configuration file and
   * the sockets that it names are looked for below. Environment variables and {@link configPath} are taken as they are.
   *
   * @defaultValue "/"
   */
  root?: string | undefined;
  /** Permits `http:` and `tcp:` in environment and configuration. @defaultValue false */
  allowInsecureTcp?: boolean | undefined;
  /** How long a well-known socket may take to accept a connection, in milliseconds. @defaultValue 1000 */
  probeTimeoutMs?: number | undefined;
  /** Stands in for connecting to well-known sockets. @internal */
  probe?: ((endpoint: UnixEndpoint | NpipeEndpoint) => Promise<ProbeResult>) | undefined;
}

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
 * 3. the first well-known socket that accepts a connection: containerd, CRI-O, cri-dockerd, k3s and rke2, k0s, microk8s
 *
 * What a variable or the file names is final. It is not tried here, and nothing else is used instead if it does not work.
 *
 * ```ts
 * const endpoint = await discoverEndpoint(); // "unix:///run/containerd/containerd.sock"
 * ```
 *
 * @returns the endpoint in its canonical spelling, fit for `ConnectOptions.endpoint`
 * @throws {@link EndpointError} with code `NO_ENDPOINT`, listing what was tried and what to do
 * @throws {@link InvalidInputError} if a variable or the configuration file holds something that is no endpoint
 */
export async function discoverEndpoint(options: DiscoverOptions = {}): Promise<string> {
  const tried: TriedEndpoint[] = [];
  const found = await runtimeEndpoint(new Surroundings(options), tried);
  return found.endpoint.display;
}

/**
 * Finds the endpoints of both services. The image service has its own variable and key (`IMAGE_SERVICE_ENDPOINT`,
 * `image-endpoint`), which count even where the runtime's endpoint came from somewhere else, as they do for crictl.
 */
export async function discoverEndpoints(options: DiscoverOptions = {}): Promise<DiscoveredEndpoints> {
  const surroundings = new Surroundings(options);
  const tried: TriedEndpoint[] = [];
  const runtime = await runtimeEndpoint(surroundings, tried);
  const image = (await firstOf(imageStrategies, surroundings, [])) ?? runtime;
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
}

/** One place to look at. It notes what it saw in `tried`, and returns nothing to let the next one have its turn. */
type Strategy = (surroundings: Surroundings, tried: TriedEndpoint[]) => Found | undefined | Promise<Found | undefined>;

const runtimeStrategies: readonly Strategy[] = [
  fromVariable("CONTAINER_RUNTIME_ENDPOINT"),
  fromCrictlConfig("runtimeEndpoint", "runtime-endpoint"),
  fromWellKnownSockets,
];

const imageStrategies: readonly Strategy[] = [
  fromVariable("IMAGE_SERVICE_ENDPOINT"),
  fromCrictlConfig("imageEndpoint", "image-endpoint"),
];

function fromVariable(name: string): Strategy {
  return ({ options, env, platform }, tried) => {
    const text = env[name];
    if (!text) {
      tried.push({ endpoint: "", source: name, outcome: "not set" });
      return undefined;
    }
    const endpoint = parseEndpoint(text, { field: name, allowInsecureTcp: options.allowInsecureTcp, platform });
    tried.push({ endpoint: endpoint.display, source: name, outcome: "used" });
    return { endpoint, source: name };
  };
}

function fromCrictlConfig(property: "runtimeEndpoint" | "imageEndpoint", key: string): Strategy {
  return async (surroundings, tried) => {
    const { options, platform, configLocation } = surroundings;
    const config = await surroundings.crictlConfig();
    const source = configLocation.path;
    const text = config?.[property];
    if (!text) {
      tried.push({ endpoint: "", source, outcome: config ? `sets no ${key}` : "no such file" });
      return undefined;
    }
    const field = `${key} in ${source}`;
    const named = parseEndpoint(text, { field, allowInsecureTcp: options.allowInsecureTcp, platform });
    const endpoint = configLocation.explicit || named.kind !== "unix" ? named : surroundings.reroot(named);
    tried.push({ endpoint: endpoint.display, source, outcome: "used" });
    return { endpoint, source };
  };
}

async function fromWellKnownSockets(
  { options, platform, root }: Surroundings,
  tried: TriedEndpoint[],
): Promise<Found | undefined> {
  const source = "well-known sockets";
  const probe = options.probe ?? ((endpoint) => probeSocket(endpoint, { timeoutMs: options.probeTimeoutMs, root }));
  const sockets = wellKnownSockets(platform, root);
  const results = await Promise.all(sockets.map(({ endpoint }) => probe(endpoint)));
  const winner = results.findIndex((result) => result.reachable);
  for (const [index, { endpoint }] of sockets.entries()) {
    const { outcome, reachable } = results[index]!;
    const verdict = index === winner ? "used" : reachable ? `${outcome}, but comes later in the list` : outcome;
    tried.push({ endpoint: endpoint.display, source, outcome: verdict });
  }
  const first = sockets[winner];
  return first && { endpoint: first.endpoint, source };
}

/** What discovery looks at, with defaults filled in; crictl's configuration file is read at most once. */
class Surroundings {
  readonly options: DiscoverOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly root: string;
  readonly configLocation: CrictlConfigLocation;
  #config: Promise<CrictlConfig | undefined> | undefined;

  constructor(options: DiscoverOptions) {
    this.options = options;
    this.env = options.env ?? process.env;
    this.platform = options.platform ?? process.platform;
    this.root = resolve(options.root ?? "/");
    const { path, explicit } = locateCrictlConfig({ path: options.configPath, env: this.env, platform: this.platform });
    this.configLocation = { path: explicit || this.platform === "win32" ? path : under(this.root, path), explicit };
  }

  crictlConfig(): Promise<CrictlConfig | undefined> {
    this.#config ??= readCrictlConfig(this.configLocation);
    return this.#config;
  }

  reroot(endpoint: UnixEndpoint): UnixEndpoint {
    return unixEndpoint(under(this.root, endpoint.path));
  }
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
  const list = tried.map(({ endpoint, source, outcome }) => `  ${endpoint || source}: ${outcome}`);
  const remedy =
    denied.length > 0
      ? "Gain access as said above, or name another endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option."
      : "Start the runtime, or name its endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option. In a container, mount the node's socket.";
  return new EndpointError({
    code: "NO_ENDPOINT",
    message: `${headline}. Tried, in this order:\n${list.join("\n")}\n${remedy}`,
    tried,
  });
}
