import type { Duplex, Readable, Writable } from "node:stream";
import type { TlsOptions } from "../options.js";

/** The two wire protocols that CRI streaming servers speak. */
export type StreamTransport = "spdy" | "websocket";

/** How to reach a streaming server. */
export interface DialOptions {
  /** Credentials for an `https:` URL; certificates are always verified. */
  tls?: TlsOptions | undefined;
  /** Cancels the handshake, and later the session. Rejects and destroys with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * How long the handshake may take, in milliseconds: TCP, TLS, upgrade and, for SPDY, the replies to all streams.
   * @defaultValue 10000
   */
  handshakeTimeoutMs?: number | undefined;
  /**
   * How often to send a ping, in milliseconds; the session ends when nothing arrives until the next one is due. 0 for no pings.
   * @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
}

/** Which streams a remote command has. It must be exactly what the Exec or Attach RPC asked for: servers wait for the rest. */
export interface RemoteCommandStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** The last word of a server on a remote command. */
export type RemoteStatus =
  | { kind: "exited"; exitCode: number }
  /** The server could not run the command, or lost it; `message` is its explanation. */
  | { kind: "failed"; message: string; reason: string };

/** A terminal's size in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** One exec or attach session on one wire protocol. */
export interface RemoteCommand {
  readonly transport: StreamTransport;
  /** The protocol that was agreed on, such as `v4.channel.k8s.io`. */
  readonly protocol: string;
  /** Whether ending stdin reaches the process while output and exit status still arrive. */
  readonly canHalfCloseStdin: boolean;
  /** Ending it half-closes where {@link canHalfCloseStdin}; errors (EPIPE) once the session is over. Null unless asked for. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** How many bytes have been written to stdin. */
  readonly stdinBytes: number;
  /** How many bytes of output arrived after the end of their stream, and were dropped. */
  readonly droppedBytes: number;
  /** All output so far, of both streams together; undefined if it is longer than 4 KiB. */
  readonly shortOutput: string | undefined;
  /** Resolves when the connection is gone, however it ended. */
  readonly closed: Promise<void>;
  /**
   * Resolves with the server's status; rejects when the session ends without one, is destroyed, or breaks. Never before the
   * status arrived. Outputs end (or are destroyed with the same error) after it; draining them is the reader's business.
   */
  readonly status: Promise<RemoteStatus>;
  /** Tells the terminal's size; no effect without tty. */
  resize(size: TerminalSize): void;
  /** Ends the session at once and frees its socket. */
  destroy(reason?: unknown): void;
}

/** A connection that carries any number of forwarded connections (SPDY). */
export interface PortForwardConnection {
  readonly transport: StreamTransport;
  /** Connects to a port in the pod. The stream is destroyed with an error when the server reports one on the error stream. */
  open(port: number, options?: { signal?: AbortSignal | undefined }): Promise<Duplex>;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<void>;
  destroy(reason?: unknown): void;
}
