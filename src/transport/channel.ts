import { Channel, ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
// nice-grpc patches grpc-js on import. Without the patch, an attempt to connect has no time limit, and
// `grpc.min_reconnect_backoff_ms` has no effect.
import "nice-grpc";
import type { TlsOptions } from "../options.js";
import { ClosableCredentials } from "./closable-credentials.js";
import type { Endpoint } from "./endpoint.js";
import { keepLargeMessagesInChunks } from "./message-frames.js";
import { guardSession } from "./session-guard.js";
import { createTlsCredentials } from "./tls.js";
import { onTransport } from "./transports.js";

/** The default channel options, each with its reason. `ConnectOptions.channelOptions` overrides them one by one. */
export const channelDefaults = {
  // The largest reply of CRI-O (containerd: 16 MiB). grpc-js' default of 4 MiB is too small for lists of thousands of containers.
  "grpc.max_receive_message_length": 80 * 1024 * 1024,
  // The runtime enforces its own limit with RESOURCE_EXHAUSTED. A limit here could differ from it.
  "grpc.max_send_message_length": -1,
  // A restarted runtime accepts connections within one or two seconds, so the first back-off is short.
  "grpc.initial_reconnect_backoff_ms": 100,
  // Without this limit, grpc-js would wait up to two minutes for the next attempt after a long upgrade.
  "grpc.max_reconnect_backoff_ms": 3_000,
  // Despite its name, this is the time limit of one attempt to connect. A starting runtime may accept the connection and then
  // hang.
  "grpc.min_reconnect_backoff_ms": 5_000,
  // The runtime is on this machine or was named explicitly, so a proxy from the environment never applies.
  "grpc.enable_http_proxy": 0,
  // Avoids DNS queries for a service configuration, which no runtime publishes.
  "grpc.service_config_disable_resolution": 1,
  // Separates clients: no client inherits the back-off of another one, and close() closes the client's own connection.
  "grpc.use_local_subchannel_pool": 1,
  // Avoids the bookkeeping of every call for the channelz service, which this package does not serve.
  "grpc.enable_channelz": 0,
  // The bytes that a runtime may send ahead. With Node's 64 KiB, 8 MB over a unix socket took about twice as long as with 1 MiB,
  // and larger windows gained nothing. One unread stream may hold this much in memory, so the window is not larger.
  "grpc-node.flow_control_window": 1024 * 1024,
  // Keepalive stays off: runtimes answer pings within five minutes with GOAWAY too_many_pings, and a dead local peer closes its
  // socket.
} as const satisfies ChannelOptions;

/**
 * The default channel options of sockets and pipes. Until the next attempt to connect, calls fail with the error of the last
 * attempt, although the runtime may be back. An attempt on a local socket costs less than a call, so it is made more often.
 */
export const localDefaults = { "grpc.max_reconnect_backoff_ms": 500 } as const satisfies ChannelOptions;

/** Options of {@link createRuntimeChannel}. */
export interface RuntimeChannelOptions {
  /** Credentials of an `https:` endpoint. */
  tls?: TlsOptions | undefined;
  /** Overrides {@link channelDefaults} and {@link localDefaults}. */
  channelOptions?: ChannelOptions | undefined;
  /** Whether all calls decode their replies with `replyDecoding`, which also reads messages in chunks. @defaultValue false */
  readsChunks?: boolean;
}

/**
 * Creates a grpc-js channel to a runtime. No I/O happens until the first call.
 *
 * @throws {@link InvalidInputError} if the TLS credentials cannot be read
 */
export function createRuntimeChannel(endpoint: Endpoint, options: RuntimeChannelOptions = {}): Channel {
  const secure = endpoint.kind === "tcp" && endpoint.tls;
  const credentials = secure ? createTlsCredentials(endpoint.host, options.tls) : ChannelCredentials.createInsecure();
  const settings: ChannelOptions = {
    ...channelDefaults,
    ...(endpoint.kind === "tcp" ? {} : localDefaults),
    ...authorityOptions(endpoint, options.tls),
    ...options.channelOptions,
  };
  const channel = new RuntimeChannel(endpoint.target, new ClosableCredentials(credentials), settings);
  // Other clients in this process may use the connections of a shared pool, and do not know messages in chunks.
  const usesChunks = options.readsChunks && settings["grpc.use_local_subchannel_pool"] === 1;
  onTransport(channel, (transport) => {
    guardSession(transport);
    if (usesChunks) keepLargeMessagesInChunks(transport);
  });
  return channel;
}

/** A channel that leaks no connection when it closes, even while it connects. */
class RuntimeChannel extends Channel {
  readonly #credentials: ClosableCredentials;

  constructor(target: string, credentials: ClosableCredentials, options: ChannelOptions) {
    super(target, credentials, options);
    this.#credentials = credentials;
  }

  override close(): void {
    this.#credentials.close();
    // grpc-js resolves an endpoint in the tick after the first call, and connects to it even if the channel was closed before.
    // It would never close that connection, so the channel is closed after that tick.
    setImmediate(() => super.close());
  }
}

/** Sets the `:authority` header. */
function authorityOptions(endpoint: Endpoint, tls: TlsOptions | undefined): ChannelOptions {
  // Go servers refuse a path in this header. grpc-js sends localhost for unix sockets; this option does the same for the other
  // kinds.
  if (endpoint.kind !== "tcp") return { "grpc.default_authority": "localhost" };
  if (!endpoint.tls || tls?.serverName === undefined) return {}; // grpc-js: host:port
  return { "grpc.default_authority": tls.serverName };
}
