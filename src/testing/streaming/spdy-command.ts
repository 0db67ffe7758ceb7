import { startTimer } from "../../internal/timer.js";
import type { SpdyStream } from "../../streaming/spdy/stream.js";
import { withResolvers } from "../../streaming/spdy/with-resolvers.js";
import type { RemoteCommandStreams } from "../../streaming/transport.js";
import { flush, inlet, outlet, sizesOf } from "./plumbing.js";
import type { AcceptCommand, ServedCommand } from "./served-command.js";
import { acceptSpdy, type SpdyServerConnection } from "./spdy-server.js";

/** How long a client may take to open its streams. */
const creationTimeoutMs = 30_000;

/**
 * An exec or attach session over SPDY/3.1. It begins when the client has opened the streams that the RPC named, each of them. With
 * `dataAfterEnd` and a terminal, it ends like CRI-O's now and then: with data behind the end of the output, which clients have to drop.
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
  const wanted = { error: true, stdin, stdout, stderr: stderr && !tty, resize: tty };
  return new Set(Object.keys(wanted).filter((name) => wanted[name as keyof typeof wanted]));
}

function serve(
  connection: SpdyServerConnection,
  streams: Map<string, SpdyStream>,
  tty: boolean,
  dataAfterEnd: boolean,
): ServedCommand {
  const gone = new AbortController();
  void connection.closed.then(() => gone.abort(connection.failure));
  const errors = outlet(streams.get("error"));
  const stdout = outlet(streams.get("stdout"));
  const stderr = tty ? stdout : outlet(streams.get("stderr"));
  const sizes = sizesOf(streams.get("resize"));
  return {
    io: { stdin: inlet(streams.get("stdin")), stdout, stderr, tty, sizes, signal: gone.signal },
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
