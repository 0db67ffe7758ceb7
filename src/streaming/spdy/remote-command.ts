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
import { StatusBuffer } from "./status-buffer.js";
import type { SpdyStream } from "./stream.js";

/** v4 only: earlier versions do not report the exit code and send nothing on success. */
const protocols = ["v4.channel.k8s.io"];

/** How long a server may take to end its streams after the status, while their readers keep up. */
const lingerMs = 3_000;

/**
 * Starts an exec or attach session over SPDY/3.1. Resolves when the server has accepted all streams, which is before it starts
 * the command.
 *
 * @param url the result of the Exec or Attach RPC; valid for one attempt
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
  /** Resolves when the server has accepted all streams. */
  readonly accepted: Promise<void>;
  readonly #outputs: readonly SpdyStream[];
  readonly #shortOutput = new ShortOutput();
  readonly #connection: SpdyConnection;
  readonly #resize: SpdyStream | undefined;
  /** The size to send after the one that is being written. */
  #nextSize: TerminalSize | undefined;

  constructor(connection: SpdyConnection, protocol: string, streams: RemoteCommandStreams) {
    this.#connection = connection;
    this.closed = connection.closed;
    this.protocol = protocol;
    const all: SpdyStream[] = [];
    const open = (type: string, side: "readable" | "writable", onBytes?: (bytes: Buffer) => void): SpdyStream => {
      const [readable, writable] = [side === "readable", side === "writable"];
      // Detachable, because a runtime whose output stream is reset stops reading from the command, which then blocks forever.
      const options = { readable, writable, detachable: readable, ...(onBytes && { onBytes }) };
      const stream = connection.open({ streamType: type }, options);
      all.push(stream);
      return stream;
    };
    // Servers start the command when exactly these streams are open.
    const errors = open("error", "readable");
    // Sent before the command can run. Writing to a server that has already finished a short command and closed would break the
    // connection before the status is read.
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
    this.status.then(() => closeAfterLinger(connection), ignore);
  }

  get stdinBytes(): number {
    return this.stdin?.bytesWritten ?? 0;
  }

  get droppedBytes(): number {
    return this.#outputs.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0);
  }

  get outputBytes(): number {
    return this.#shortOutput.length;
  }

  get shortOutput(): string | undefined {
    return this.#shortOutput.text;
  }

  resize(size: TerminalSize): void {
    const stream = this.#resize;
    if (!stream?.writable || !isTerminalDimension(size.columns) || !isTerminalDimension(size.rows)) return;
    const busy = stream.writableLength > 0;
    this.#nextSize = { columns: size.columns, rows: size.rows };
    if (!busy) this.#sendSize(stream);
  }

  destroy(reason?: unknown): void {
    const connection = this.#connection;
    connection.destroy(
      reason ??
        connection.locate(
          new CriError({ code: "CANCELLED", message: "the session was closed", mayHaveTakenEffect: true }),
        ),
    );
  }

  /** Sends the latest size only, so that dragging a window does not fill a buffer. */
  #sendSize(stream: SpdyStream): void {
    const size = this.#nextSize;
    if (!size || stream.destroyed) return;
    this.#nextSize = undefined;
    stream.write(JSON.stringify({ Width: size.columns, Height: size.rows }), () => this.#sendSize(stream));
  }
}

function awaitStatus(connection: SpdyConnection, errors: SpdyStream): Promise<RemoteStatus> {
  connection.setLossMessage("the session ended before its status arrived");
  const status = new Promise<RemoteStatus>((resolve, reject) => {
    const status = new StatusBuffer();
    const take = () => {
      // Called synchronously, because the server closes the connection after the status, possibly before promise callbacks run.
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
      // Do not wait for the end of the stream: it may be lost when the connection closes.
      if (status.isWhole) take();
    });
    errors.on("end", () => {
      if (status.text !== "" && !status.isWhole) take();
    });
    void connection.closed.then(() => {
      const isLost = !connection.wasDestroyed && CriError.is(connection.failure, "UNAVAILABLE");
      // The server sent plain text, and closed the connection without ending the stream.
      if (isLost && status.text !== "") resolve(parseRemoteStatus(status.text));
      else reject(connection.failure);
    });
  });
  // A rejection that the caller does not handle must not end the process.
  status.catch(ignore);
  return status;
}

/** Closes the connection if the server does not do so soon after the status. */
function closeAfterLinger(connection: SpdyConnection): void {
  if (connection.isOver) return;
  const stopTimer = startTimer(lingerMs, () => {
    // A slow reader may delay the server's last data.
    if (connection.isReadPaused) closeAfterLinger(connection);
    else connection.close();
  });
  void connection.closed.then(stopTimer);
}

/** Servers read 16 bits and ignore a terminal size of 0. */
function isTerminalDimension(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65_536;
}

function ignore(): void {}
