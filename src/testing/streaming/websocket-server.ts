import type { IncomingMessage, Server } from "node:http";
import { type Duplex, type Readable, Writable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ChannelReadable, FlowControl, sendWithBackpressure } from "../../streaming/websocket/flow.js";
import { channels, v4, v5 } from "../../streaming/websocket/frames.js";

/** The channels of an accepted session, each as a stream. */
export class WebSocketChannels {
  /** The negotiated protocol. */
  readonly protocol: string;
  /** Resolves with the close code when the connection has ended. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #flow: FlowControl;
  readonly #readables = new Map<number, ChannelReadable>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#flow = new FlowControl(socket);
    this.protocol = socket.protocol;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.on("message", (data) => this.#onMessage(data as Buffer));
    socket.on("close", () => {
      for (const readable of this.#readables.values()) readable.push(null);
    });
  }

  /**
   * Returns a stream of the data that the client sends on a channel. The stream ends with the connection. With v5, the client can
   * end it earlier.
   */
  readable(channel: number): Readable {
    const existing = this.#readables.get(channel);
    if (existing) return existing;
    const readable = new ChannelReadable(this.#flow);
    this.#readables.set(channel, readable);
    return readable;
  }

  /** Returns a stream to the client on a channel. Ending it sends nothing: the protocol has no message for it. */
  writable(channel: number): Writable {
    const write = (chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void) =>
      sendWithBackpressure(this.#socket, channel, chunk, callback);
    return new Writable({ write }).on("error", () => {});
  }

  /** Sends one message unchanged. */
  send(message: Uint8Array | string): void {
    this.#socket.send(message);
  }

  /** Ends the session: sends the status if one is given, closes with the code, and waits for the connection to end. */
  async end(status?: object, code = 1000): Promise<void> {
    if (status) this.send(Buffer.from(`${String.fromCharCode(channels.status)}${JSON.stringify(status)}`));
    this.#socket.close(code);
    this.#socket.resume();
    await this.closed;
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket.terminate();
  }

  // Drops the data of channels that were not requested.
  #onMessage(message: Buffer): void {
    const [channel, ended] = message;
    if (channel === channels.end && this.protocol === v5) this.#readables.get(ended ?? -1)?.push(null);
    else if (message.length > 1) this.#readables.get(channel ?? -1)?.receive(message.subarray(1));
  }
}

export interface WebSocketAcceptorOptions {
  /** Protocols to accept. The server uses the first of them that the client offers. @defaultValue v4 only, like containerd */
  protocols?: readonly string[] | undefined;
}

/** Accepts sessions over WebSocket, in Kubernetes' channel protocols, on a `node:http` server. */
export class WebSocketAcceptor {
  readonly #protocols: readonly string[];
  readonly #server: WebSocketServer;

  constructor({ protocols = [v4] }: WebSocketAcceptorOptions = {}) {
    this.#protocols = protocols;
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: 32 * 1024 * 1024,
      handleProtocols: (offered) => [...offered].find((protocol) => protocols.includes(protocol)) ?? false,
    });
  }

  /** Accepts an upgrade request. If it offers none of the protocols, responds with 403 and resolves with undefined. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocketChannels | undefined> {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
    if (!offered.some((protocol) => this.#protocols.includes(protocol))) {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => resolve(new WebSocketChannels(webSocket)));
    });
  }

  /** Accepts every upgrade request of a server, and passes the sessions to the callback. */
  attach(server: Server, onSession: (session: WebSocketChannels, request: IncomingMessage) => void): void {
    server.on("upgrade", async (request, socket, head) => {
      const session = await this.accept(request, socket, head);
      if (session) onSession(session, request);
    });
  }
}
