import { isAbsolute } from "node:path";
import { InvalidInputError } from "../errors.js";
import type { CriLogger } from "../options.js";
import { checkCallOptions, checkTimeout } from "./call-options.js";
import type { NpipeEndpoint, UnixEndpoint } from "./endpoint.js";
import type { ProbeResult } from "./socket-probe.js";

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
   * the sockets that it names are looked for below, and symbolic links lead to where they lead on the node: an absolute link or `..`
   * never leads out. Environment variables and {@link configPath} are taken as they are. It has to be an absolute path.
   *
   * @defaultValue "/"
   */
  root?: string | undefined;
  /** Permits `http:` and `tcp:` in environment and configuration. @defaultValue false */
  allowInsecureTcp?: boolean | undefined;
  /**
   * How long the well-known sockets may take to accept a connection and to answer Version, in milliseconds, more than 0. All are
   * asked at the same time.
   *
   * @defaultValue 1000
   */
  probeTimeoutMs?: number | undefined;
  /**
   * Warned if this process is root and another user may replace the socket or the configuration file that discovery uses: who owns
   * it, or may write to it or to a directory on its way, decides what root connects to.
   *
   * @defaultValue nothing is logged
   */
  logger?: CriLogger | undefined;
  /** Cancels discovery, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Stands in for asking well-known sockets. @internal */
  probe?: ((endpoint: UnixEndpoint | NpipeEndpoint, signal: AbortSignal) => Promise<Candidate>) | undefined;
}

/** What came of a well-known socket. */
export interface Candidate extends ProbeResult {
  /** Whether what listens there speaks CRI v1, if it answered Version in time. */
  speaksCri?: boolean | undefined;
}

/** @throws InvalidInputError */
export function checkDiscoverOptions({ probeTimeoutMs, root, signal }: DiscoverOptions): void {
  checkCallOptions({ signal });
  checkTimeout(probeTimeoutMs, "probeTimeoutMs");
  if (probeTimeoutMs === 0) {
    const message = "must be more than 0: a socket may accept connections and never answer";
    throw new InvalidInputError({ field: "probeTimeoutMs", message, value: probeTimeoutMs });
  }
  if (root !== undefined && !(typeof root === "string" && isAbsolute(root))) {
    throw new InvalidInputError({ field: "root", message: "must be an absolute path, such as /host", value: root });
  }
}
