import { CriError } from "../errors.js";
import type {
  DialOptions,
  ForwardedConnection,
  PortForwardConnection,
  RemoteCommand,
  RemoteCommandStreams,
  StreamTransport,
} from "./transport.js";

/** How to open a session over either protocol. */
export interface OpenOptions {
  /**
   * Calls the RPC for the URLs of one attempt, in the order to try them. Each attempt needs new ones: the URLs share a token, which
   * the first server that responds uses up.
   */
  freshUrls: () => Promise<readonly [URL, ...URL[]]>;
  /** The only protocol to use. By default the client tries SPDY first, then WebSocket if the server does not support SPDY. */
  transport?: StreamTransport | undefined;
  /** The protocols that worked before with this runtime: read before each choice and written after it. */
  memory: StreamMemory;
  /** Returns the options of one attempt. Called for each, because the remaining time shrinks. */
  dial: () => DialOptions;
}

/** The protocols that the streaming servers of one runtime support, as found so far. */
export interface StreamMemory {
  remoteCommand?: StreamTransport;
  portForward?: StreamTransport;
}

/**
 * Opens an exec or attach session. Tries SPDY first: only over SPDY can standard input end without losing the output and the exit
 * code.
 */
export function openRemoteCommand(streams: RemoteCommandStreams, options: OpenOptions): Promise<RemoteCommand> {
  return withFallback("remoteCommand", options, async (transport) => {
    const urls = await options.freshUrls();
    // Loaded when first used: most programs never open a session.
    if (transport === "spdy") {
      const { openSpdyRemoteCommand } = await import("./spdy/remote-command.js");
      return firstReachable(urls, (url) => openSpdyRemoteCommand(url, streams, options.dial()));
    }
    const { openWebSocketRemoteCommand } = await import("./websocket/remote-command.js");
    return firstReachable(urls, (url) => openWebSocketRemoteCommand(url, streams, options.dial()));
  });
}

/** A port-forward session: one for all connections (SPDY), or one for each connection (WebSocket). */
export type PortForwarding =
  | { transport: "spdy"; connection: PortForwardConnection }
  | { transport: "websocket"; first: ForwardedConnection };

/** {@link OpenOptions}, and the limit for each connection on a SPDY session. */
export interface OpenPortForwardOptions extends OpenOptions {
  /** How long the server may take to accept a connection, in milliseconds. @defaultValue the time limit of the handshake */
  acceptTimeoutMs?: number | undefined;
}

/** Opens a port-forward session. Tries SPDY first: it carries any number of connections, and WebSocket needs an RPC for each. */
export function openPortForward(port: number, options: OpenPortForwardOptions): Promise<PortForwarding> {
  return withFallback("portForward", options, async (transport): Promise<PortForwarding> => {
    const urls = await options.freshUrls();
    if (transport === "spdy") {
      const { openSpdyPortForward } = await import("./spdy/port-forward.js");
      const open = (url: URL) => openSpdyPortForward(url, options.dial(), options.acceptTimeoutMs);
      return { transport, connection: await firstReachable(urls, open) };
    }
    const { openWebSocketPortForward } = await import("./websocket/port-forward.js");
    const open = (url: URL) => openWebSocketPortForward(url, port, options.dial());
    return { transport, first: await firstReachable(urls, open) };
  });
}

async function withFallback<T>(
  kind: keyof StreamMemory,
  { transport, memory }: OpenOptions,
  open: (transport: StreamTransport) => Promise<T>,
): Promise<T> {
  const first = transport ?? memory[kind] ?? "spdy";
  try {
    const session = await open(first);
    memory[kind] ??= first;
    return session;
  } catch (error) {
    // A handshake fails with UNIMPLEMENTED if the server does not support the protocol.
    if (transport || !CriError.is(error, "UNIMPLEMENTED")) throw error;
    const second = first === "spdy" ? "websocket" : "spdy";
    const session = await open(second);
    memory[kind] = second;
    return session;
  }
}

/** Error codes of `connect` that prove that no server listens at an address. */
const notListening: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH"]);

/** Dials one address after the other until a server responds. */
async function firstReachable<T>(
  [url, ...others]: readonly [URL, ...URL[]],
  dial: (url: URL) => Promise<T>,
): Promise<T> {
  try {
    return await dial(url);
  } catch (error) {
    const [next, ...rest] = others;
    const cause = CriError.is(error, "UNAVAILABLE") ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    if (!next || !notListening.has(cause?.code)) throw error;
    return firstReachable([next, ...rest], dial);
  }
}
