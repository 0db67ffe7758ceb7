import type { Readable, Writable } from "node:stream";
import type { TerminalSize } from "../../streaming/transport.js";

/** What a command in a container works with. Streams that nobody asked for are there too: empty, or read by nobody. */
export interface ProgramIo {
  /** Ends when the client ends it (over WebSocket it cannot) or has gone. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** With a terminal, the same as {@link stdout}. */
  readonly stderr: Writable;
  readonly tty: boolean;
  /** The sizes of the client's terminal, as it tells them. */
  readonly sizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client has gone, the container has ended or the runtime was killed. */
  readonly signal: AbortSignal;
}
