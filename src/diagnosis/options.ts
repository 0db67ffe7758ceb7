import type { ConnectOptions } from "../options.js";
import type { RegistryAuth } from "../specs/credentials/registry-auth.js";
import type { DiscoverOptions } from "../transport/discover-options.js";
import type { Finding } from "./finding.js";

/** Options of `diagnose`: how to connect, as for `CriClient.connect`, and what to check. */
export interface DiagnoseOptions
  extends Pick<ConnectOptions, "endpoint" | "imageEndpoint" | "tls" | "streamTls" | "streamUrl" | "allowInsecureTcp">,
    Pick<DiscoverOptions, "env" | "platform" | "configPath" | "root"> {
  /** The time limit of each call and each connection, in milliseconds; more than 0. @defaultValue 5000 */
  timeoutMs?: number | undefined;
  /**
   * Also runs a pod: pulls an image if it is missing, runs a container, executes commands in it, reads its log, and removes all of
   * it.
   *
   * @defaultValue false: nothing on the node is changed
   */
  deep?: boolean | DeepOptions | undefined;
  /** Called with each finding as soon as it is known. */
  onFinding?: ((finding: Finding) => void) | undefined;
  /** Cancels the diagnosis, which then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of the pod of a deep diagnosis. */
export interface DeepOptions {
  /** An image with the programs `sh`, `echo` and `sleep`. @defaultValue "docker.io/library/busybox:1.37" */
  image?: string | undefined;
  /** Credentials for pulling it. @defaultValue none */
  auth?: RegistryAuth | undefined;
  /** The time limit for pulling the image, and for running the pod, in milliseconds. @defaultValue 120000 */
  timeoutMs?: number | undefined;
}
