/** A runtime that supports only PortForward, with a real streaming server. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { ClientContext } from "../../../../src/resources/context.js";
import {
  type PortForward,
  type PortForwardOptions,
  portForward,
} from "../../../../src/resources/sessions/port-forward.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { acceptSpdy, type SpdyServerConnection } from "../../../../src/testing/streaming/spdy-server.js";
import { WebSocketAcceptor, type WebSocketChannels } from "../../../../src/testing/streaming/websocket-server.js";
import { serve } from "../../streaming/support.js";

/** The behaviour of the runtime. It may be changed while the runtime runs. */
export interface Behaviour {
  /** Called within each RPC. @defaultValue replies at once */
  rpc?: ((count: number) => Promise<unknown> | undefined) | undefined;
  /** Called between an upgrade request and its response. */
  beforeUpgrade?: (() => Promise<unknown>) | undefined;
  /** Whether it supports SPDY. @defaultValue true */
  spdy?: boolean | undefined;
  /** Whether it supports WebSocket. @defaultValue true */
  webSocket?: boolean | undefined;
  /** Handles a stream over SPDY. @defaultValue an echo */
  onData?: ((data: SpdyStream, error: SpdyStream, connection: SpdyServerConnection) => void) | undefined;
}

export interface FakePod {
  /** Creates a port-forward to the pod. The test must end all its connections. */
  forward(ports?: number | number[], options?: PortForwardOptions): PortForward;
  /** Closes the client. */
  closeClient(reason: unknown): void;
  /** The ports of each RPC. */
  readonly rpcs: number[][];
  /** The connections to the streaming server. */
  readonly sockets: ReadonlySet<Socket>;
}

export async function fakePod(behaviour: Behaviour = {}): Promise<FakePod> {
  const sockets = new Set<Socket>();
  const rpcs: number[][] = [];
  const closing = new AbortController();
  const acceptor = new WebSocketAcceptor();
  let requestedPorts: number[] = [];

  const url = await serve(async (request: IncomingMessage, socket, head) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const [port = 0] = requestedPorts;
    await behaviour.beforeUpgrade?.();
    const isWebSocket = request.headers.upgrade === "websocket";
    if (!((isWebSocket ? behaviour.webSocket : behaviour.spdy) ?? true)) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    } else if (isWebSocket) {
      const session = await acceptor.accept(request, socket, head);
      if (session) echo(session, port);
    } else acceptForward(request, socket, head, behaviour);
  });

  const runtime = {
    portForward: async ({ port }: { port: number[] }) => {
      rpcs.push(port);
      await behaviour.rpc?.(rpcs.length);
      requestedPorts = port;
      return { url: url.href };
    },
  };
  const options = { endpoint: { kind: "unix" } };
  const context = {
    connection: { closing: [closing.signal], options, runtime },
    streamMemory: {},
  } as unknown as ClientContext;
  return {
    forward(ports = 80, forwardOptions) {
      const forward = portForward(context, "pod", ports, forwardOptions);
      onTestFinished(() => forward.close());
      return forward;
    },
    closeClient: (reason) => closing.abort(reason),
    rpcs,
    sockets,
  };
}

function acceptForward(request: IncomingMessage, socket: Socket, head: Buffer, behaviour: Behaviour): void {
  const errors = new Map<string | undefined, SpdyStream>();
  const connection = acceptSpdy(request, socket, ["portforward.k8s.io"], {
    head,
    onStream: (stream) => {
      const id = stream.headers.get("requestid")?.[0];
      const error = errors.get(id);
      if (!error) errors.set(id, stream.resume());
      else if (behaviour.onData) behaviour.onData(stream, error, connection as SpdyServerConnection);
      else stream.pipe(stream);
    },
  });
}

/** Sends the port, and then everything that it receives. */
function echo(session: WebSocketChannels, port: number): void {
  for (const channel of [0, 1]) session.send(Buffer.of(channel, port & 255, port >> 8));
  const out = session.writable(0);
  out.write(`${port}:`);
  session.readable(0).on("data", (part) => out.write(part));
}
