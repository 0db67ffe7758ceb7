import { channels } from "../../streaming/websocket/frames.js";
import type { AcceptCommand } from "./command-session.js";
import { flush, inputStream, outputStream, terminalSizes } from "./session-streams.js";
import { WebSocketAcceptor } from "./websocket-server.js";

/** Accepts an exec or attach session over WebSocket. */
export const acceptWebSocketCommand: AcceptCommand = async ({ request, socket, head }, streams) => {
  const session = await new WebSocketAcceptor().accept(request, socket, head);
  if (!session) return undefined;
  const { tty } = streams;
  const disconnected = new AbortController();
  void session.closed.then((code) => disconnected.abort(new Error(`the client disconnected: close code ${code}`)));
  const input = (channel: number, requested: boolean) => (requested ? session.readable(channel) : undefined);
  const output = (channel: number, requested: boolean) =>
    outputStream(requested ? session.writable(channel) : undefined);
  const stdout = output(channels.stdout, streams.stdout);
  const stderr = tty ? stdout : output(channels.stderr, streams.stderr);
  // An empty message on the first output channel signals that the server is ready.
  session.send(Buffer.of(streams.stdout ? channels.stdout : streams.stderr ? channels.stderr : channels.status));
  return {
    io: {
      stdin: inputStream(input(channels.stdin, streams.stdin)),
      stdout,
      stderr,
      tty,
      sizes: terminalSizes(input(channels.resize, tty)),
      signal: disconnected.signal,
    },
    finish: async (status) => {
      await flush([stdout, stderr]);
      if (status && !disconnected.signal.aborted) await session.end(status);
    },
  };
};
