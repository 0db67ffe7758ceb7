import type { Duplex } from "node:stream";
import { CriError } from "../errors.js";
import type {
  DialOptions,
  PortForwardConnection,
  RemoteCommand,
  RemoteCommandStreams,
  StreamTransport,
} from "./transport.js";

/** How to come to a session, whichever protocol its server speaks. */
export interface OpenOptions {
  /**
   * The URLs for one try, in their order, made anew by the RPC each time: the token that they share is used up by the first server
   * that answers, whatever it answers.
   */
  freshUrls: () => Promise<readonly [URL, ...URL[]]>;
  /** The only protocol to use. Without it SPDY is tried first, WebSocket where the server does not speak that. */
  transport?: StreamTransport | undefined;
  /** What servers of this runtime turned out to speak: read before and written after every choice. */
  memory: StreamMemory;
  /** How to dial; asked for each try, for what is left of a time limit shrinks. */
  dial: () => DialOptions;
}

/** What the streaming servers of one runtime turned out to speak. */
export interface StreamMemory {
  remoteCommand?: StreamTransport;
  portForward?: StreamTransport;
}

/**
 * Opens an exec or attach session. SPDY first: it is the only protocol on which standard input ends without taking the output
 * and the exit code along.
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

/** A port-forward session: one that carries all connections (SPDY), or one that is made anew for each (WebSocket). */
export type PortForwarding =
  | { transport: "spdy"; connection: PortForwardConnection }
  | { transport: "websocket"; first: Duplex };

/** {@link OpenOptions}, and what holds for each connection on a session that carries many. */
export interface OpenPortForwardOptions extends OpenOptions {
  /** How long the server may take to accept a connection, in milliseconds. @defaultValue the time limit of the handshake */
  acceptTimeoutMs?: number | undefined;
}

/** Opens a port-forward session. SPDY first: it carries any number of connections, where WebSocket takes an RPC for each. */
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
    // UNIMPLEMENTED is what a handshake ends with when the server does not speak the protocol.
    if (transport || !CriError.is(error, "UNIMPLEMENTED")) throw error;
    const second = first === "spdy" ? "websocket" : "spdy";
    const session = await open(second);
    memory[kind] = second;
    return session;
  }
}

/** Errors of a connect that show that no server listens at an address. */
const notListening: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH"]);

/** Dials one address after the other until a server answers. */
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
