import type { Readable, Writable } from "node:stream";
import type { TerminalSize } from "../../streaming/transport.js";

/**
 * The streams of a command in a container. All streams exist. Input that the client did not request is empty, and output that it
 * did not request is discarded.
 */
export interface ProgramIo {
  /** Ends when the client ends this stream (not possible over WebSocket) or disconnects. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** With a terminal, the same as {@link stdout}. */
  readonly stderr: Writable;
  readonly tty: boolean;
  /** The sizes of the client's terminal, as the client sends them. */
  readonly sizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client disconnects, the container ends or the runtime is killed. */
  readonly signal: AbortSignal;
}
