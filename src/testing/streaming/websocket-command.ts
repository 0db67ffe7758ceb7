import { channels } from "../../streaming/websocket/frames.js";
import { flush, inlet, outlet, sizesOf } from "./plumbing.js";
import type { AcceptCommand } from "./served-command.js";
import { WebSocketAcceptor } from "./websocket-server.js";

/** An exec or attach session over WebSocket. */
export const acceptWebSocketCommand: AcceptCommand = async ({ request, socket, head }, streams) => {
  const session = await new WebSocketAcceptor().accept(request, socket, head);
  if (!session) return undefined;
  const { tty } = streams;
  const gone = new AbortController();
  void session.closed.then((code) => gone.abort(new Error(`the client has gone: close code ${code}`)));
  const input = (channel: number, wanted: boolean) => (wanted ? session.readable(channel) : undefined);
  const output = (channel: number, wanted: boolean) => outlet(wanted ? session.writable(channel) : undefined);
  const stdout = output(channels.stdout, streams.stdout);
  const stderr = tty ? stdout : output(channels.stderr, streams.stderr);
  // "Ready", on the first channel that the server writes to.
  session.send(Buffer.of(streams.stdout ? channels.stdout : streams.stderr ? channels.stderr : channels.status));
  return {
    io: {
      stdin: inlet(input(channels.stdin, streams.stdin)),
      stdout,
      stderr,
      tty,
      sizes: sizesOf(input(channels.resize, tty)),
      signal: gone.signal,
    },
    finish: async (status) => {
      await flush([stdout, stderr]);
      if (status && !gone.signal.aborted) await session.end(status);
    },
  };
};
