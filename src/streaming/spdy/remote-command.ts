import type { Readable } from "node:stream";
import { CriError } from "../../errors.js";
import { startTimer } from "../../internal/timer.js";
import { ShortOutput } from "../short-output.js";
import { parseRemoteStatus } from "../status.js";
import type {
  DialOptions,
  RemoteCommand,
  RemoteCommandStreams,
  RemoteStatus,
  StreamTransport,
  TerminalSize,
} from "../transport.js";
import type { SpdyConnection } from "./connection.js";
import { dialSpdy } from "./dial.js";
import { StatusText } from "./status-text.js";
import type { SpdyStream } from "./stream.js";

/** The only version worth having: the earlier ones do not tell the exit code, and say nothing at all on success. */
const protocols = ["v4.channel.k8s.io"];

/** How long a server that has told the status may take to end its streams, while somebody reads them. */
const lingerMs = 3_000;

/**
 * Starts an exec or attach session over SPDY/3.1. Resolves when the server has accepted all streams, which is before it starts
 * the command.
 *
 * @param url of the Exec or Attach RPC; good for one try
 */
export async function openSpdyRemoteCommand(
  url: URL,
  streams: RemoteCommandStreams,
  options: DialOptions = {},
): Promise<RemoteCommand> {
  let command: SpdyRemoteCommand | undefined;
  await dialSpdy(url, { ...options, protocols, hasCommand: true }, ({ connection, protocol }) => {
    command = new SpdyRemoteCommand(connection, protocol, streams);
    return command.accepted;
  });
  return command as SpdyRemoteCommand;
}

class SpdyRemoteCommand implements RemoteCommand {
  readonly transport: StreamTransport = "spdy";
  readonly protocol: string;
  readonly canHalfCloseStdin = true;
  readonly stdin: SpdyStream | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly status: Promise<RemoteStatus>;
  readonly closed: Promise<void>;
  /** Resolves when the server has taken all streams. */
  readonly accepted: Promise<void>;
  readonly #outputs: readonly SpdyStream[];
  readonly #shortOutput = new ShortOutput();
  readonly #connection: SpdyConnection;
  readonly #resize: SpdyStream | undefined;
  /** The size to tell next, while an earlier one is still under way. */
  #nextSize: TerminalSize | undefined;

  constructor(connection: SpdyConnection, protocol: string, streams: RemoteCommandStreams) {
    this.#connection = connection;
    this.closed = connection.closed;
    this.protocol = protocol;
    const all: SpdyStream[] = [];
    const open = (type: string, side: "readable" | "writable", onBytes?: (bytes: Buffer) => void): SpdyStream => {
      const [readable, writable] = [side === "readable", side === "writable"];
      // A runtime that cannot write an output any more stops reading it from the command, which then waits forever.
      const options = { readable, writable, detachable: readable, ...(onBytes && { onBytes }) };
      const stream = connection.open({ streamType: type }, options);
      all.push(stream);
      return stream;
    };
    // Servers wait until they have exactly these, and tell them apart by their headers.
    const errors = open("error", "readable");
    // At once, like everything that can be said before the command runs: writing to a server that has finished a short one
    // already would break the connection before its last words are read.
    errors.closeWriting();
    this.stdin = streams.stdin ? open("stdin", "writable") : null;
    const openOutput = (type: string) => open(type, "readable", (bytes) => this.#shortOutput.add(bytes));
    const stdout = streams.stdout ? openOutput("stdout") : null;
    const stderr = streams.stderr && !streams.tty ? openOutput("stderr") : null;
    [this.stdout, this.stderr] = [stdout, stderr];
    this.#outputs = [stdout, stderr].filter((stream) => stream !== null);
    this.#resize = streams.tty ? open("resize", "writable") : undefined;
    this.accepted = Promise.all(all.map((stream) => stream.accepted)).then(ignore);
    this.accepted.catch(ignore);
    this.status = awaitStatus(connection, errors);
    this.status.then(() => lingerBriefly(connection), ignore);
  }

  get stdinBytes(): number {
    return this.stdin?.bytesWritten ?? 0;
  }

  get droppedBytes(): number {
    return this.#outputs.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0);
  }

  get shortOutput(): string | undefined {
    return this.#shortOutput.text;
  }

  resize(size: TerminalSize): void {
    const stream = this.#resize;
    if (!stream?.writable || !isCells(size.columns) || !isCells(size.rows)) return;
    const busy = stream.writableLength > 0;
    this.#nextSize = { columns: size.columns, rows: size.rows };
    if (!busy) this.#sendSize(stream);
  }

  destroy(reason?: unknown): void {
    this.#connection.destroy(
      reason ?? new CriError({ code: "CANCELLED", message: "the session was destroyed before its end" }),
    );
  }

  /** Only the last size counts, so that a window being dragged does not fill a buffer. */
  #sendSize(stream: SpdyStream): void {
    const size = this.#nextSize;
    if (!size || stream.destroyed) return;
    this.#nextSize = undefined;
    stream.write(JSON.stringify({ Width: size.columns, Height: size.rows }), () => this.#sendSize(stream));
  }
}

function awaitStatus(connection: SpdyConnection, errors: SpdyStream): Promise<RemoteStatus> {
  connection.explainLoss("the session ended before its status");
  const status = new Promise<RemoteStatus>((resolve, reject) => {
    const status = new StatusText();
    const take = () => {
      // At once: the server hangs up behind its status, and a socket's end can come before a promise's reactions.
      connection.expectEnd();
      resolve(parseRemoteStatus(status.text));
    };
    errors.on("data", (bytes: Buffer) => {
      if (status.isWhole) return;
      try {
        status.add(bytes);
      } catch (error) {
        connection.destroy(error);
        return;
      }
      // A whole one is believed at once: the end of the stream may be lost when the connection closes.
      if (status.isWhole) take();
    });
    errors.on("end", () => {
      if (status.text !== "" && !status.isWhole) take();
    });
    void connection.closed.then(() => {
      const isLost = !connection.wasDestroyed && CriError.is(connection.failure, "UNAVAILABLE");
      // Plain words without an end, from a server that hung up behind them.
      if (isLost && status.text !== "") resolve(parseRemoteStatus(status.text));
      else reject(connection.failure);
    });
  });
  // Nobody has to listen.
  status.catch(ignore);
  return status;
}

/** After the status there is nothing to come but the ends of the streams. */
function lingerBriefly(connection: SpdyConnection): void {
  if (connection.isOver) return;
  const stopTimer = startTimer(lingerMs, () => {
    // Behind a slow reader the server's last words may still be on their way.
    if (connection.isHeld) lingerBriefly(connection);
    else connection.close();
  });
  void connection.closed.then(stopTimer);
}

/** Servers read 16 bits and ignore a terminal without extent. */
function isCells(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65_536;
}

function ignore(): void {}
