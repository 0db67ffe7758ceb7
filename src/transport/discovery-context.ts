import { resolve } from "node:path";
import { InvalidInputError } from "../errors.js";
import { type CrictlConfig, type CrictlConfigLocation, locateCrictlConfig, readCrictlConfig } from "./crictl-config.js";
import { type Candidate, checkDiscoverOptions, type DiscoverOptions } from "./discover-options.js";
import { type NpipeEndpoint, type UnixEndpoint, unixEndpoint } from "./endpoint.js";
import { pathUnder, resolveUnder } from "./node-root.js";
import { warnIfReplaceable } from "./replaceable-files.js";
import { pathTooLong } from "./socket-path.js";
import { probeSocket } from "./socket-probe.js";
import { probeVersion } from "./version-probe.js";

/** A path on the node, whose file system is mounted at `root`. */
export interface NodePath {
  path: string;
  root: string;
}

/** A socket of the node, with the path at which this process reaches it. */
export interface Located<Kind = UnixEndpoint | NpipeEndpoint> {
  endpoint: Kind;
  /** The reason why this process cannot reach the socket. */
  problem?: string | undefined;
}

/** The configuration file, with its path for this process and its path on the node. */
export interface ConfigLocation extends CrictlConfigLocation {
  onNode: NodePath;
}

/** The inputs of discovery: options with defaults, sockets, and crictl's configuration file. Reads the file at most once. */
export class DiscoveryContext {
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
    this.#config ??= this.configLocation().then((location) => readCrictlConfig(location));
    return this.#config;
  }

  /** Finds the path at which this process reaches a socket of the node. */
  async locate({ path }: UnixEndpoint): Promise<Located<UnixEndpoint>> {
    try {
      return { endpoint: unixEndpoint(await resolveUnder(this.root, path)) };
    } catch {
      return { endpoint: unixEndpoint(pathUnder(this.root, path)), problem: "is part of a loop of symbolic links" };
    }
  }

  /**
   * Does the same as {@link locate} for a socket in the configuration.
   *
   * @param field the key in the configuration
   * @throws InvalidInputError if this process cannot reach the socket
   */
  async locateConfigured(endpoint: UnixEndpoint, field: string): Promise<UnixEndpoint> {
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
    return probed.reachable ? { ...probed, ...(await probeVersion(endpoint, signal)) } : probed;
  }

  /** Warns about each file that another user can replace. */
  async warnIfReplaceable(...found: readonly { reliesOn: readonly NodePath[] }[]): Promise<void> {
    const files = new Map(
      found.flatMap(({ reliesOn }) => reliesOn).map((file) => [pathUnder(file.root, file.path), file]),
    );
    for (const { path, root } of files.values()) await warnIfReplaceable(this.options.logger, path, root);
  }

  async #locateConfig(): Promise<ConfigLocation> {
    const { env, platform } = this;
    const { path, explicit } = locateCrictlConfig({ path: this.options.configPath, env, platform });
    const root = explicit || platform === "win32" ? "/" : this.root;
    const located = await resolveUnder(root, path).catch((cause: unknown) => {
      const message = `${pathUnder(root, path)} cannot be read: ${(cause as NodeJS.ErrnoException).code}`;
      throw new InvalidInputError({ field: "crictl configuration", message, cause });
    });
    return { path: located, explicit, onNode: { path, root } };
  }
}
