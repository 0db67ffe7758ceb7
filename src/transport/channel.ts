import { Channel, ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
// For its effect on grpc-js: without it an attempt to connect has no time limit, and `grpc.min_reconnect_backoff_ms` no meaning.
import "nice-grpc";
import type { TlsOptions } from "../options.js";
import { EndingCredentials } from "./ending-credentials.js";
import type { Endpoint } from "./endpoint.js";
import { guardSessions } from "./session-guard.js";
import { createTlsCredentials } from "./tls.js";

/** The channel options of this package, each with its reason. `ConnectOptions.channelOptions` overrides them one by one. */
export const channelDefaults = {
  // What CRI-O may send (containerd stops at 16 MiB). The 4 MiB of grpc-js are too few for a list of some thousand containers.
  "grpc.max_receive_message_length": 80 * 1024 * 1024,
  // The runtime knows its own limit and answers RESOURCE_EXHAUSTED; a second limit here could only be wrong.
  "grpc.max_send_message_length": -1,
  // A runtime that restarts is back within a second or two: knock early …
  "grpc.initial_reconnect_backoff_ms": 100,
  // … and keep knocking. grpc-js would wait up to two minutes after a longer upgrade; knocking at a local socket costs nothing.
  "grpc.max_reconnect_backoff_ms": 3_000,
  // The time limit of one attempt to connect, whatever its name says: a runtime may accept and then hang while it starts.
  "grpc.min_reconnect_backoff_ms": 5_000,
  // A runtime is on this machine or named on purpose. A proxy from the environment would only get in between.
  "grpc.enable_http_proxy": 0,
  // No TXT look-ups for a service configuration that no runtime publishes.
  "grpc.service_config_disable_resolution": 1,
  // A client of its own: no back-off inherited from another client's failed attempts, and close() closes its connection.
  "grpc.use_local_subchannel_pool": 1,
  // Books that are kept on every call, for a service that nobody here serves.
  "grpc.enable_channelz": 0,
  // How much a runtime may send ahead. Node's 64 KiB make it wait: 8 MB over a unix socket took about twice as long as with
  // 1 MiB, and larger windows gained nothing. It is also what one unread stream may hold in memory, so not larger than it helps.
  "grpc-node.flow_control_window": 1024 * 1024,
  // Keepalive stays off: runtimes punish pings within five minutes (GOAWAY too_many_pings), and a dead local peer closes its socket.
} as const satisfies ChannelOptions;

/** What {@link createRuntimeChannel} takes besides the endpoint. */
export interface RuntimeChannelOptions {
  /** Credentials of an `https:` endpoint. */
  tls?: TlsOptions | undefined;
  /** Wins over {@link channelDefaults}. */
  channelOptions?: ChannelOptions | undefined;
}

/**
 * A grpc-js channel to a runtime. No I/O happens until the first call.
 *
 * @throws {@link InvalidInputError} if the TLS credentials cannot be read.
 */
export function createRuntimeChannel(endpoint: Endpoint, options: RuntimeChannelOptions = {}): Channel {
  const secure = endpoint.kind === "tcp" && endpoint.tls;
  const credentials = secure ? createTlsCredentials(endpoint.host, options.tls) : ChannelCredentials.createInsecure();
  const channel = new RuntimeChannel(endpoint.target, new EndingCredentials(credentials), {
    ...channelDefaults,
    ...authorityOptions(endpoint, options.tls),
    ...options.channelOptions,
  });
  guardSessions(channel);
  return channel;
}

/** A channel that leaves no connection behind when it closes, whatever it was in the middle of. */
class RuntimeChannel extends Channel {
  readonly #credentials: EndingCredentials;

  constructor(target: string, credentials: EndingCredentials, options: ChannelOptions) {
    super(target, credentials, options);
    this.#credentials = credentials;
  }

  override close(): void {
    this.#credentials.end();
    // grpc-js learns the addresses of an endpoint in the tick after the first call, and connects to them even if the channel was
    // closed in the meantime: closed then, that connection would stay for ever.
    setImmediate(() => super.close());
  }
}

/** Which name the runtime is called by in the `:authority` header. */
function authorityOptions(endpoint: Endpoint, tls: TlsOptions | undefined): ChannelOptions {
  // Servers in Go refuse a path there. grpc-js says localhost for sockets too; this makes it so for pipes and whatever comes.
  if (endpoint.kind !== "tcp") return { "grpc.default_authority": "localhost" };
  if (!endpoint.tls || tls?.serverName === undefined) return {}; // grpc-js: host:port
  return { "grpc.default_authority": tls.serverName };
}
