import { startTimer } from "../../internal/timer.js";
import type { SpdyStream } from "../../streaming/spdy/stream.js";
import { withResolvers } from "../../streaming/spdy/with-resolvers.js";
import type { RemoteCommandStreams } from "../../streaming/transport.js";
import type { AcceptCommand, CommandSession } from "./command-session.js";
import { flush, inputStream, outputStream, terminalSizes } from "./session-streams.js";
import { acceptSpdy, type SpdyServerConnection } from "./spdy-server.js";

/** How long a client may take to open its streams. */
const creationTimeoutMs = 30_000;

/**
 * Accepts an exec or attach session over SPDY/3.1. The session begins when the client has opened all streams that the RPC
 * requested. With `dataAfterEnd` and a terminal, the server sends data after the end of the output, as CRI-O sometimes does.
 * Clients must drop that data.
 */
export const acceptSpdyCommand: AcceptCommand<[dataAfterEnd: boolean]> = async (
  { request, socket, head },
  streams,
  dataAfterEnd,
) => {
  const missing = namesOf(streams);
  const opened = new Map<string, SpdyStream>();
  const { promise: complete, resolve } = withResolvers<void>();
  const connection = acceptSpdy(request, socket, ["v4.channel.k8s.io"], {
    head,
    onStream: (stream) => {
      const name = stream.headers.get("streamtype")?.[0] ?? "";
      if (!missing.delete(name)) return void stream.destroy();
      opened.set(name, stream);
      if (missing.size === 0) resolve();
    },
  });
  if (!connection) return undefined;
  const stopTimer = startTimer(creationTimeoutMs, () => connection.close());
  await Promise.race([complete, connection.closed]);
  stopTimer();
  return connection.isOver ? undefined : serve(connection, opened, streams.tty, dataAfterEnd);
};

function namesOf({ stdin, stdout, stderr, tty }: RemoteCommandStreams): Set<string> {
  const requested = { error: true, stdin, stdout, stderr: stderr && !tty, resize: tty };
  return new Set(Object.keys(requested).filter((name) => requested[name as keyof typeof requested]));
}

function serve(
  connection: SpdyServerConnection,
  streams: Map<string, SpdyStream>,
  tty: boolean,
  dataAfterEnd: boolean,
): CommandSession {
  const disconnected = new AbortController();
  void connection.closed.then(() => disconnected.abort(connection.failure));
  const errors = outputStream(streams.get("error"));
  const stdout = outputStream(streams.get("stdout"));
  const stderr = tty ? stdout : outputStream(streams.get("stderr"));
  const sizes = terminalSizes(streams.get("resize"));
  return {
    io: { stdin: inputStream(streams.get("stdin")), stdout, stderr, tty, sizes, signal: disconnected.signal },
    finish: async (status) => {
      await flush([stdout, stderr]);
      if (!status) {
        for (const name of ["stdout", "stderr"]) streams.get(name)?.end();
        return;
      }
      const output = streams.get("stdout");
      if (tty && dataAfterEnd && output && !connection.isOver) {
        connection.sendFin(output.streamId);
        connection.sendData(output.streamId, [Buffer.from("\r\n")], () => {});
      }
      errors.write(JSON.stringify(status));
      await flush([errors]);
      if (!connection.isOver) connection.shutDown();
    },
  };
}
