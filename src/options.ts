import type { ChannelOptions } from "@grpc/grpc-js";
import type { ClientMiddleware } from "nice-grpc-common";

/**
 * Options of every method that does I/O, in its last argument. Every field is optional.
 *
 * The time limit of a call starts with the call and includes all attempts and the back-off between them. The client sends it to the
 * runtime as `grpc-timeout` and enforces it locally as well. Its default depends on the RPC: see `callPolicies`.
 */
export interface CallOptions {
  /**
   * Cancels the call, the back-off between attempts and reads from a stream. The call rejects with `signal.reason`, unwrapped.
   * With an already aborted signal, the call does no I/O.
   */
  signal?: AbortSignal | undefined;
  /** The time limit of the whole logical call in milliseconds, retries included; `0` removes the default limit of the RPC. */
  timeoutMs?: number | undefined;
  /** The same limit as a point in time. If both are set, the earlier one applies. */
  deadline?: Date | undefined;
  /** How to retry the call; `false` means one attempt. With any policy, the client retries only failures that are safe to retry. */
  retry?: RetryPolicy | false | undefined;
  /** Request metadata (HTTP/2 headers). Binary values need a key that ends in `-bin`. */
  metadata?: Record<string, string | Uint8Array | readonly string[]> | undefined;
}

/** The time limit of a stream, such as events or a followed log. Without a limit, the stream never times out. */
export interface StreamLimits {
  /** The limit in milliseconds from the first read; `0` means none. The stream then fails with `DEADLINE_EXCEEDED`. */
  timeoutMs?: number | undefined;
  /** The same limit as a point in time. If both are set, the earlier one applies. */
  deadline?: Date | undefined;
}

/**
 * How often and how soon the client retries a call. The back-off before attempt *n + 1* is a random time between 0 and
 * `min(maxBackoffMs, initialBackoffMs · 2ⁿ⁻¹)` ("full jitter"). No attempt starts after the time limit of the call.
 */
export interface RetryPolicy {
  /** The number of attempts, including the first one. @defaultValue 3 */
  maxAttempts?: number | undefined;
  /** The upper bound of the first back-off, in milliseconds. @defaultValue 100 */
  initialBackoffMs?: number | undefined;
  /** The upper bound of every back-off, in milliseconds. @defaultValue 2000 */
  maxBackoffMs?: number | undefined;
}

/** The default retry policy of the calls for which the policy table permits retries. */
export const defaultRetryPolicy = {
  maxAttempts: 3,
  initialBackoffMs: 100,
  maxBackoffMs: 2_000,
} as const satisfies RetryPolicy;

/** The base of all default time limits, which is also the kubelet's default: two minutes. */
export const defaultTimeoutMs = 120_000;

/** The default of {@link ConnectOptions.connectTimeoutMs}. */
export const defaultConnectTimeoutMs = 10_000;

/** The time limit of the rollback of a failed or cancelled workflow, which does not count towards the caller's limit. */
export const rollbackTimeoutMs = 15_000;

/** The credentials of a TLS endpoint. Certificates and keys are PEM, as strings or bytes. */
export interface TlsOptions {
  /** The certificate authorities to trust, instead of those of Node.js. */
  ca?: string | Uint8Array | undefined;
  /** The client certificate. Requires {@link key}. */
  cert?: string | Uint8Array | undefined;
  /** The private key of the client certificate. Requires {@link cert}. */
  key?: string | Uint8Array | undefined;
  /** The name that the server's certificate must be for. @defaultValue the host of the endpoint */
  serverName?: string | undefined;
}

/**
 * Receives log records: a message and an object with fields, so you can pass `console`. Without a logger, the client logs
 * nothing. It redacts credentials, values of environment variables and stream URLs first.
 */
export interface CriLogger {
  /** Called for every attempt of every call: method, endpoint, attempt, outcome, duration, redacted request. */
  debug?(message: string, fields: Record<string, unknown>): void;
  /** Called for problems that do not make a call fail. */
  warn?(message: string, fields: Record<string, unknown>): void;
}

/** How the client detects changes of pods and containers: by the runtime's events, or by comparing lists. */
export type WatchSource = "events" | "list";

/** Settings of the watch of pods and containers, which `events`, `watch`, `waitFor` and `wait` of a client share. */
export interface WatchSettings {
  /**
   * How to detect changes. `events` calls GetContainerEvents even on containerd 1.7, where it takes events away from the kubelet.
   * If the runtime does not implement this RPC, the client polls. `list` never calls GetContainerEvents.
   *
   * @defaultValue `events` on containerd 2 and newer and on CRI-O with pod events, otherwise `list`
   */
  source?: WatchSource | undefined;
  /**
   * The longest pause between two polls without events, in milliseconds. The pauses begin with 25 ms for a new stream, view or
   * wait, and with 200 ms after a change. Each further pause is twice as long.
   *
   * @defaultValue 1000
   */
  pollMs?: number | undefined;
  /**
   * The longest pause between two relists with events, in milliseconds. Relists recover lost events.
   *
   * @defaultValue 10000
   */
  relistMs?: number | undefined;
}

/** The default of {@link WatchSettings.pollMs}. */
export const defaultPollMs = 1_000;

/** The default of {@link WatchSettings.relistMs}. */
export const defaultRelistMs = 10_000;

/** The kind of a streaming session. */
export type StreamKind = "exec" | "attach" | "portForward";

/** The defaults that `cri.with` changes. */
export interface DerivedDefaults extends Omit<CallOptions, "deadline"> {
  /**
   * Cancels calls, sessions, streams and views without a signal of their own. It does not cancel rollback and the disposal of
   * owned objects. The raw stubs ignore it.
   */
  signal?: AbortSignal | undefined;
}

/** How to connect to a runtime, and how the client makes calls. */
export interface ConnectOptions {
  /**
   * The runtime's endpoint: an absolute socket path, `unix:/path`, `unix:///path`, `npipe:////./pipe/name` or
   * `https://host:port`; with {@link allowInsecureTcp} also `http://host:port` and `tcp://host:port`.
   *
   * @defaultValue the result of discovery: `CONTAINER_RUNTIME_ENDPOINT`, crictl's configuration file, or a well-known socket
   */
  endpoint?: string | undefined;
  /**
   * The image service's endpoint, if it differs from the runtime's. Equal endpoints share one connection.
   *
   * @defaultValue {@link endpoint} if it is set; otherwise `IMAGE_SERVICE_ENDPOINT`, crictl's configuration file, or the
   * runtime's endpoint
   */
  imageEndpoint?: string | undefined;
  /** The credentials of an `https:` endpoint. */
  tls?: TlsOptions | undefined;
  /**
   * The credentials of the runtime's streaming server, which serves exec, attach and port-forward at a URL of its own. Its
   * certificate is always verified. If the endpoint uses TLS, sessions must use TLS, unless {@link allowInsecureTcp} is set.
   *
   * @defaultValue {@link tls}
   */
  streamTls?: TlsOptions | undefined;
  /**
   * Replaces the URL of a streaming session, for example to connect through a tunnel. Without it, sessions connect only to the
   * host of the runtime, and use TLS if its endpoint is `https:`. The URL contains a single-use token, so keep it out of logs.
   */
  streamUrl?: ((url: URL, kind: StreamKind) => URL) | undefined;
  /**
   * Allows plain TCP: `http:` and `tcp:` endpoints, and sessions without TLS if the endpoint is `https:`. CRI has no
   * authentication, so everyone who can reach the port is root on the node.
   *
   * @defaultValue false
   */
  allowInsecureTcp?: boolean | undefined;
  /** Cancels `connect()`. It has no effect on later calls. */
  signal?: AbortSignal | undefined;
  /** The time limit of `connect()`, in milliseconds: for discovery and for the first reply of the runtime. @defaultValue 10000 */
  connectTimeoutMs?: number | undefined;
  /**
   * The defaults of every call. `timeoutMs` is the base of the default time limits, two minutes if it is not set: RunPodSandbox
   * has twice the base, StopContainer the base plus its grace period, pulls and streams have no limit.
   */
  defaults?: Omit<CallOptions, "signal" | "deadline"> | undefined;
  /** Settings for watching pods and containers. */
  watch?: WatchSettings | undefined;
  /** nice-grpc middlewares around one logical call, retries included. The first one is the outermost. */
  middleware?: readonly ClientMiddleware[] | undefined;
  /** nice-grpc middlewares around one attempt. The first one is the outermost. */
  attemptMiddleware?: readonly ClientMiddleware[] | undefined;
  /**
   * grpc-js channel options, which override this package's defaults. `grpc.max_receive_message_length` also limits the number
   * of fields of a reply, and the total size of a streamed list.
   */
  channelOptions?: ChannelOptions | undefined;
  /**
   * Receives log records. If this process runs as root, it gets a warning when another user can replace the socket or the
   * configuration file that discovery uses.
   *
   * @defaultValue nothing is logged
   */
  logger?: CriLogger | undefined;
}
