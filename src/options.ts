import type { ChannelOptions } from "@grpc/grpc-js";
import type { ClientMiddleware } from "nice-grpc-common";

/**
 * The last argument of every method that does I/O. Every field is optional.
 *
 * The budget of a call counts from the moment of the call, spans all attempts and the pauses between them, travels to the
 * runtime as `grpc-timeout` and is enforced locally as well. Its default depends on the RPC: see `callPolicies`.
 */
export interface CallOptions {
  /**
   * Cancels the call, the pauses between attempts and reads from a stream. The call rejects with `signal.reason`, unwrapped.
   * An already aborted signal does no I/O.
   */
  signal?: AbortSignal | undefined;
  /** Budget of the whole logical call in milliseconds, retries included; `0` removes the default budget of the RPC. */
  timeoutMs?: number | undefined;
  /** The same as a point in time; of both, the earlier one counts. */
  deadline?: Date | undefined;
  /** How to retry; `false` means one attempt. Only failures that are safe to repeat are retried, whatever is said here. */
  retry?: RetryPolicy | false | undefined;
  /** Request metadata (HTTP/2 headers). Binary values need a key that ends in `-bin`. */
  metadata?: Record<string, string | Uint8Array | readonly string[]> | undefined;
}

/** How long something that goes on, such as a stream of events or a followed log, may take. Without a limit it never times out. */
export interface StreamLimits {
  /** In milliseconds from the first read; `0` means no limit. The stream then fails with `DEADLINE_EXCEEDED`. */
  timeoutMs?: number | undefined;
  /** The same as a point in time; of both, the earlier one counts. */
  deadline?: Date | undefined;
}

/**
 * How often and how soon a call is repeated. The pause before attempt *n + 1* is a random time between 0 and
 * `min(maxBackoffMs, initialBackoffMs · 2ⁿ⁻¹)` ("full jitter"). A repeat never starts past the budget of the call.
 */
export interface RetryPolicy {
  /** Attempts in all, the first one included. @defaultValue 3 */
  maxAttempts?: number | undefined;
  /** Upper bound of the first pause, in milliseconds. @defaultValue 100 */
  initialBackoffMs?: number | undefined;
  /** Upper bound of any pause, in milliseconds. @defaultValue 2000 */
  maxBackoffMs?: number | undefined;
}

/** The retry policy of calls that the policy table allows to be repeated. */
export const defaultRetryPolicy = {
  maxAttempts: 3,
  initialBackoffMs: 100,
  maxBackoffMs: 2_000,
} as const satisfies RetryPolicy;

/** Base of the default budgets: a kubelet gives its runtime two minutes. */
export const defaultTimeoutMs = 120_000;

/** How long {@link ConnectOptions.connectTimeoutMs} waits for a first answer when it is not set. */
export const defaultConnectTimeoutMs = 10_000;

/** How long undoing may take after a workflow failed or was cancelled: it does not run on the caller's spent budget. */
export const rollbackTimeoutMs = 15_000;

/** Credentials of a TLS endpoint. Certificates and keys are PEM, as text or bytes. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of those that come with Node.js. */
  ca?: string | Uint8Array | undefined;
  /** Client certificate; needs {@link key}. */
  cert?: string | Uint8Array | undefined;
  /** Private key of the client certificate. */
  key?: string | Uint8Array | undefined;
  /** Name to verify the server's certificate against when it differs from the host of the endpoint. */
  serverName?: string | undefined;
}

/**
 * Where log records go. Each method takes a sentence and its facts, so `console` fits as it is. Nothing is logged without a
 * logger. Credentials, environment values and stream URLs are redacted before they get here.
 */
export interface CriLogger {
  /** Every attempt of every call: method, endpoint, attempt, outcome, duration, redacted request. */
  debug?(message: string, fields: Record<string, unknown>): void;
  /** What went wrong without making a call fail. */
  warn?(message: string, fields: Record<string, unknown>): void;
}

/** Where news of pods and containers come from: the runtime's events, or comparing lists. */
export type WatchSource = "events" | "list";

/** How pods and containers are watched, for `events`, `watch`, `waitFor` and `wait` together: they share one watch per client. */
export interface WatchSettings {
  /**
   * `events` uses GetContainerEvents also where it would not be trusted (on containerd 1.7 that takes events away from the
   * kubelet); a runtime without it is polled all the same. `list` never calls GetContainerEvents.
   *
   * @defaultValue what the runtime is good for: events on containerd 2 and newer and on CRI-O with pod events, else lists
   */
  source?: WatchSource | undefined;
  /**
   * The longest pause between two looks where there are no events, in milliseconds. They are as short as 25 ms after someone has
   * joined, 200 ms after something has happened, and double from there.
   *
   * @defaultValue 1000
   */
  pollMs?: number | undefined;
  /** The same where there are events, in milliseconds: a safety net against those that got lost. @defaultValue 10000 */
  relistMs?: number | undefined;
}

/** How often to look without events when {@link WatchSettings.pollMs} is not set. */
export const defaultPollMs = 1_000;

/** How often to look with events when {@link WatchSettings.relistMs} is not set. */
export const defaultRelistMs = 10_000;

/** Which streaming session a URL belongs to. */
export type StreamKind = "exec" | "attach" | "portForward";

/** What `cri.with` changes. */
export interface DerivedDefaults extends Omit<CallOptions, "deadline"> {
  /**
   * Cancels calls, sessions, streams and views that have no signal of their own. Rolling back and disposing of owned objects go on;
   * the raw stubs ignore it.
   */
  signal?: AbortSignal | undefined;
}

/** How to reach a runtime and how its calls behave. */
export interface ConnectOptions {
  /**
   * The runtime's endpoint: an absolute socket path, `unix:/path`, `unix:///path`, `npipe:////./pipe/name` or
   * `https://host:port`; `http://host:port` and `tcp://host:port` only together with {@link allowInsecureTcp}.
   *
   * @defaultValue what discovery finds: `CONTAINER_RUNTIME_ENDPOINT`, crictl's configuration file, well-known sockets.
   */
  endpoint?: string | undefined;
  /**
   * The image service's endpoint, where it is another one. Equal endpoints share one connection.
   *
   * @defaultValue {@link endpoint} if that is given, else `IMAGE_SERVICE_ENDPOINT`, the configuration file, the runtime's endpoint
   */
  imageEndpoint?: string | undefined;
  /** Credentials of an `https:` endpoint. */
  tls?: TlsOptions | undefined;
  /**
   * Credentials for streaming servers that speak TLS: exec, attach and port-forward do not go through the endpoint. Their
   * certificates are always verified. A runtime that is reached over TLS has to serve its sessions over TLS, too, unless
   * {@link allowInsecureTcp} is set. @defaultValue {@link tls}
   */
  streamTls?: TlsOptions | undefined;
  /**
   * The last word on the URL of a streaming session, to reach a runtime through a tunnel, for instance. Without it sessions go
   * only to the host that the runtime is on, and over TLS if its endpoint is `https:`. The URL carries a single-use token, so keep it out of logs.
   */
  streamUrl?: ((url: URL, kind: StreamKind) => URL) | undefined;
  /**
   * Permits plain TCP: an `http:` or `tcp:` endpoint, on which whoever reaches the port is root on the node, for CRI knows no
   * authentication; and sessions in the clear with a runtime whose endpoint is `https:`. @defaultValue false
   */
  allowInsecureTcp?: boolean | undefined;
  /** Cancels `connect()`; it has no bearing on later calls. */
  signal?: AbortSignal | undefined;
  /** How long `connect()` searches for the runtime and waits for its first answer, in milliseconds. @defaultValue 10000 */
  connectTimeoutMs?: number | undefined;
  /**
   * Defaults of every call. `timeoutMs` is the base that the per-RPC budgets are reckoned from, two minutes if unset:
   * RunPodSandbox takes twice the base, StopContainer the base plus its grace period, pulls and streams none.
   */
  defaults?: Omit<CallOptions, "signal" | "deadline"> | undefined;
  /** How pods and containers are watched. */
  watch?: WatchSettings | undefined;
  /** nice-grpc middleware around one logical call, retries included. The first one is outermost. */
  middleware?: readonly ClientMiddleware[] | undefined;
  /** nice-grpc middleware around one attempt. The first one is outermost. */
  attemptMiddleware?: readonly ClientMiddleware[] | undefined;
  /**
   * grpc-js channel options that override this package's own. `grpc.max_receive_message_length` also limits how many fields a
   * reply may have, and how large a streamed list may be in all.
   */
  channelOptions?: ChannelOptions | undefined;
  /**
   * Where log records go. If this process is root, the logger is warned when another user can replace the socket or the
   * configuration file that discovery uses. @defaultValue nothing is logged
   */
  logger?: CriLogger | undefined;
}
