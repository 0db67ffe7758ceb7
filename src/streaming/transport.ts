import type { Duplex, Readable, Writable } from "node:stream";
import type { TlsOptions } from "../options.js";

/** The two wire protocols that CRI streaming servers speak. */
export type StreamTransport = "spdy" | "websocket";

/** The RPC that opened a session, such as `RuntimeService/Exec`, and the endpoint of its runtime. */
export interface SessionOrigin {
  method: string;
  endpoint: string;
}

/** How to reach a streaming server. */
export interface DialOptions {
  /** The RPC and endpoint that the errors of the session name. */
  origin?: SessionOrigin | undefined;
  /** Credentials for an `https:` URL; certificates are always verified. */
  tls?: TlsOptions | undefined;
  /** Cancels the handshake and, after it, the session. Promises reject and streams are destroyed with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * How long the handshake may take, in milliseconds: TCP, TLS, upgrade and, for SPDY, the replies to all streams.
   * @defaultValue 10000
   */
  handshakeTimeoutMs?: number | undefined;
  /**
   * How often to send a ping, in milliseconds. The session fails if nothing arrives before the next ping is due. 0 sends no pings.
   * @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
}

/** Which streams a remote command has. They must match the Exec or Attach request exactly: servers wait for all of them. */
export interface RemoteCommandStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** How many bytes a session has carried so far, without those of its protocol. */
export interface Traffic {
  /** The bytes that this program has written. */
  readonly sentBytes: number;
  /** The bytes that have arrived. */
  readonly receivedBytes: number;
}

/** How a port-forward session has ended. */
export interface Lossy {
  /** Why the session broke; undefined if it is open, or ended without breaking a forwarded connection, or was closed by this client. */
  readonly loss: unknown;
}

/** A forwarded connection that has a session of its own. */
export type ForwardedConnection = Duplex & Traffic & Lossy;

/** The status that a server sends at the end of a remote command. */
export type RemoteStatus =
  | { kind: "exited"; exitCode: number }
  /** The server could not run the command or lost contact with it; `message` is the server's explanation. */
  | { kind: "failed"; message: string; reason: string };

/** A terminal's size in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** One exec or attach session on one wire protocol. */
export interface RemoteCommand {
  readonly transport: StreamTransport;
  /** The negotiated protocol, such as `v4.channel.k8s.io`. */
  readonly protocol: string;
  /** Whether stdin can end while output and exit status still arrive. */
  readonly canHalfCloseStdin: boolean;
  /**
   * Standard input; null unless requested. Ending it half-closes the session if {@link canHalfCloseStdin}. Writing fails with EPIPE
   * once the session has ended.
   */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** How many bytes have been written to stdin. */
  readonly stdinBytes: number;
  /** How many bytes of output arrived after the end of their stream and were dropped. */
  readonly droppedBytes: number;
  /** How many bytes of output have arrived. */
  readonly outputBytes: number;
  /** All output so far, of both streams together; undefined if it is longer than 4 KiB. */
  readonly shortOutput: string | undefined;
  /** Resolves when the connection has closed, cleanly or not. */
  readonly closed: Promise<void>;
  /**
   * Resolves when the server's status arrives. Rejects if the session ends without a status, is destroyed or breaks. After that,
   * the outputs end, or are destroyed with the same error. Does not wait for readers to drain them.
   */
  readonly status: Promise<RemoteStatus>;
  /** Sends the terminal's size to the server; no effect without tty. */
  resize(size: TerminalSize): void;
  /** Ends the session at once and frees its socket. */
  destroy(reason?: unknown): void;
}

/** A SPDY connection, which carries any number of forwarded connections. */
export interface PortForwardConnection extends Traffic, Lossy {
  readonly transport: StreamTransport;
  /** Connects to a port in the pod. If the server reports an error, the stream is destroyed with it. */
  open(port: number, options?: { signal?: AbortSignal | undefined }): Promise<Duplex>;
  /** Resolves when the connection has closed, cleanly or not. */
  readonly closed: Promise<void>;
  destroy(reason?: unknown): void;
}
