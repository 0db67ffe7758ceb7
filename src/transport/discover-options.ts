import { isAbsolute } from "node:path";
import { InvalidInputError } from "../errors.js";
import { checkOptions, checkSignal, checkTimeout, type FieldsOf } from "../input/call-options.js";
import type { CriLogger } from "../options.js";
import type { NpipeEndpoint, UnixEndpoint } from "./endpoint.js";
import type { ProbeResult } from "./socket-probe.js";

/** Options of discovery. The defaults suit a program that runs on the node itself. */
export interface DiscoverOptions {
  /** The environment variables to read. @defaultValue `process.env` */
  env?: NodeJS.ProcessEnv | undefined;
  /** The platform whose well-known sockets and files discovery checks. @defaultValue `process.platform` */
  platform?: NodeJS.Platform | undefined;
  /** The path of crictl's configuration file. @defaultValue see `loadCrictlConfig` */
  configPath?: string | undefined;
  /**
   * Where the node's file system is mounted, such as `/host`; an absolute path. It applies to the well-known sockets, crictl's
   * default configuration file and the sockets that this file names. It does not apply to environment variables and
   * {@link configPath}.
   *
   * Symbolic links are resolved as on the node: neither an absolute link nor `..` leads out of this directory.
   *
   * @defaultValue "/"
   */
  root?: string | undefined;
  /** Allows `http:` and `tcp:` endpoints in environment variables and crictl's configuration. @defaultValue false */
  allowInsecureTcp?: boolean | undefined;
  /**
   * The time limit for the well-known sockets to accept a connection and to answer Version, in milliseconds; more than 0.
   * Discovery probes all sockets at the same time.
   *
   * @defaultValue 1000
   */
  probeTimeoutMs?: number | undefined;
  /**
   * Gets a warning if this process runs as root and another user can replace the socket or the configuration file that discovery
   * uses: by owning it, or by write permission for it or for a directory on its path. That user decides what root connects to.
   *
   * @defaultValue nothing is logged
   */
  logger?: CriLogger | undefined;
  /** Cancels discovery, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Replaces the probe of well-known sockets in tests. @internal */
  probe?: ((endpoint: UnixEndpoint | NpipeEndpoint, signal: AbortSignal) => Promise<Candidate>) | undefined;
}

const discoverFields: FieldsOf<DiscoverOptions> = {
  env: true,
  platform: true,
  configPath: true,
  root: true,
  allowInsecureTcp: true,
  probeTimeoutMs: true,
  logger: true,
  signal: true,
  probe: "internal",
};

/** The result of probing a well-known socket. */
export interface Candidate extends ProbeResult {
  /** Whether the server speaks CRI v1; `undefined` if it did not answer Version in time. */
  speaksCri?: boolean | undefined;
}

/** Checks the options of discovery. @throws InvalidInputError */
export function checkDiscoverOptions(options: DiscoverOptions): void {
  checkOptions(options, discoverFields);
  const { probeTimeoutMs, root, signal } = options;
  checkSignal(signal, "signal");
  checkTimeout(probeTimeoutMs, "probeTimeoutMs");
  if (probeTimeoutMs === 0) {
    const message = "must be more than 0: a socket may accept connections and never answer";
    throw new InvalidInputError({ field: "probeTimeoutMs", message, value: probeTimeoutMs });
  }
  if (root !== undefined && !(typeof root === "string" && isAbsolute(root))) {
    throw new InvalidInputError({ field: "root", message: "must be an absolute path, such as /host", value: root });
  }
}
