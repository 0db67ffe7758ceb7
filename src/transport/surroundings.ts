import { resolve } from "node:path";
import { InvalidInputError } from "../errors.js";
import { askVersion } from "./ask-version.js";
import { type CrictlConfig, type CrictlConfigLocation, locateCrictlConfig, readCrictlConfig } from "./crictl-config.js";
import { type Candidate, checkDiscoverOptions, type DiscoverOptions } from "./discover-options.js";
import { type NpipeEndpoint, type UnixEndpoint, unixEndpoint } from "./endpoint.js";
import { resolveUnder, under } from "./node-root.js";
import { warnOfOthers } from "./replaceable-files.js";
import { pathTooLong } from "./socket-path.js";
import { probeSocket } from "./socket-probe.js";

/** A path of a file system that is mounted at a root. */
export interface Place {
  path: string;
  root: string;
}

/** Where a well-known socket is for this process. */
export interface Located<Kind = UnixEndpoint | NpipeEndpoint> {
  endpoint: Kind;
  /** Why that is nowhere. */
  problem?: string | undefined;
}

/** Where the configuration file is for this process, and where on the node. */
export interface ConfigLocation extends CrictlConfigLocation {
  place: Place;
}

/** What discovery looks at, with defaults filled in; crictl's configuration file is read at most once. */
export class Surroundings {
  readonly options: DiscoverOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly probeTimeoutMs: number;
  readonly root: string;
  #location: Promise<ConfigLocation> | undefined;
  #config: Promise<CrictlConfig | undefined> | undefined;

  constructor(options: DiscoverOptions) {
    checkDiscoverOptions(options);
    this.options = options;
    this.env = options.env ?? process.env;
    this.platform = options.platform ?? process.platform;
    this.probeTimeoutMs = options.probeTimeoutMs ?? 1_000;
    this.root = resolve(options.root ?? "/");
  }

  configLocation(): Promise<ConfigLocation> {
    this.#location ??= this.#locateConfig();
    return this.#location;
  }

  crictlConfig(): Promise<CrictlConfig | undefined> {
    this.#config ??= this.configLocation().then(readCrictlConfig);
    return this.#config;
  }

  /** Where a socket of the node is for this process. */
  async locate({ path }: UnixEndpoint): Promise<Located<UnixEndpoint>> {
    try {
      return { endpoint: unixEndpoint(await resolveUnder(this.root, path)) };
    } catch {
      return { endpoint: unixEndpoint(under(this.root, path)), problem: "leads in a circle of symbolic links" };
    }
  }

  /** As {@link locate}, for a socket that a field of the configuration names. */
  async reroot(endpoint: UnixEndpoint, field: string): Promise<UnixEndpoint> {
    const { endpoint: located, problem } = await this.locate(endpoint);
    const tooLong = pathTooLong(located.path, this.platform);
    const message = problem ?? (tooLong && `${tooLong}: mount the node's root at a shorter path`);
    if (message === undefined) return located;
    throw new InvalidInputError({ field, message, value: located.path });
  }

  async probe(endpoint: UnixEndpoint | NpipeEndpoint, signal: AbortSignal): Promise<Candidate> {
    const { probe } = this.options;
    if (probe !== undefined) return probe(endpoint, signal);
    const probed = await probeSocket(endpoint, { signal, root: this.root });
    return probed.reachable ? { ...probed, ...(await askVersion(endpoint, signal)) } : probed;
  }

  /** Warns of everything that another user can change. */
  async warnOfOthers(...found: readonly { reliesOn: readonly Place[] }[]): Promise<void> {
    const places = new Map(
      found.flatMap(({ reliesOn }) => reliesOn).map((place) => [under(place.root, place.path), place]),
    );
    for (const { path, root } of places.values()) await warnOfOthers(this.options.logger, path, root);
  }

  async #locateConfig(): Promise<ConfigLocation> {
    const { env, platform } = this;
    const { path, explicit } = locateCrictlConfig({ path: this.options.configPath, env, platform });
    const root = explicit || platform === "win32" ? "/" : this.root;
    const located = await resolveUnder(root, path).catch((cause: unknown) => {
      const message = `${under(root, path)} cannot be read: ${(cause as NodeJS.ErrnoException).code}`;
      throw new InvalidInputError({ field: "crictl configuration", message, cause });
    });
    return { path: located, explicit, place: { path, root } };
  }
}
