import { Duplex } from "node:stream";
import type { Upgrade } from "./command-session.js";
import { type ConnectPort, join } from "./forwarding.js";
import { WebSocketAcceptor, type WebSocketChannels } from "./websocket-server.js";

/** Accepts a port-forward session over WebSocket, and connects at once to each port that the RPC requested. */
export async function acceptWebSocketForward(
  { request, socket, head }: Upgrade,
  ports: readonly number[],
  connect: ConnectPort,
): Promise<void> {
  const session = await new WebSocketAcceptor().accept(request, socket, head);
  if (!session) return;
  await Promise.all(ports.map((port, index) => forward(session, 2 * index, port, connect)));
  await session.end();
}

async function forward(session: WebSocketChannels, channel: number, port: number, connect: ConnectPort): Promise<void> {
  const client = Duplex.from({ readable: session.readable(channel), writable: session.writable(channel) });
  client.on("error", () => {});
  void session.closed.then(() => client.destroy());
  const errors = channel + 1;
  for (const each of [channel, errors]) session.send(Buffer.of(each, port & 0xff, port >> 8));
  try {
    await join(client, await connect(port));
  } catch (reason) {
    session.send(Buffer.concat([Buffer.of(errors), Buffer.from((reason as Error).message)]));
  }
}
