import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AttachRequest, ExecRequest, PortForwardRequest } from "../../proto.js";
import type { ProgramIo } from "../backend/program-io.js";
import type { StreamingRequest } from "../state/sessions.js";
import { type ServerTls, secureServerOptions } from "../wire/server-tls.js";
import type { Upgrade } from "./command-session.js";
import type { CommandStatus } from "./command-status.js";
import { acceptSpdyCommand } from "./spdy-command.js";
import { acceptSpdyForward } from "./spdy-forward.js";
import { acceptWebSocketCommand } from "./websocket-command.js";
import { acceptWebSocketForward } from "./websocket-forward.js";

/** The protocols that a streaming server supports. */
export interface StreamingProtocols {
  /** SPDY/3.1. @defaultValue true */
  spdy?: boolean | undefined;
  /** Kubernetes' channels over WebSocket, `v4.channel.k8s.io`. @defaultValue true */
  websocket?: boolean | undefined;
}

export interface StreamingOptions extends StreamingProtocols {
  /** Returns the beginning of all URLs. */
  base: (port: number) => string;
  /** Certificates for TLS: URLs are then `https:`. */
  tls?: ServerTls | undefined;
  /** Whether a session with a terminal sends data over SPDY on a stream that it has ended. */
  dataAfterEnd: boolean;
}

/** The runtime's part of streaming sessions. */
export interface SessionHandlers {
  /** Returns the session of a token. The token is then no longer valid. */
  take(token: string): StreamingRequest | undefined;
  /** Resolves with undefined if the runtime reports no status for the command. */
  exec(request: ExecRequest, io: ProgramIo): Promise<CommandStatus | undefined>;
  attach(request: AttachRequest, io: ProgramIo): Promise<CommandStatus>;
  connect(request: PortForwardRequest, port: number): Promise<Duplex>;
}

/** The HTTP server for a runtime's sessions, on loopback. The first session starts it. */
export class StreamingServer {
  readonly #options: StreamingOptions;
  readonly #handlers: SessionHandlers;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #listening: Promise<string> | undefined;

  constructor(options: StreamingOptions, handlers: SessionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** Starts to listen if needed. Resolves with the beginning of all URLs. */
  listen(): Promise<string> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  /** Breaks all sessions and stops listening. The next session uses another port. */
  async close(): Promise<void> {
    await this.#listening?.catch(() => {});
    const server = this.#server;
    this.#listening = undefined;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #listen(): Promise<string> {
    const { base, tls } = this.#options;
    const onRequest: RequestListener = (request, response) => {
      const known = this.#take(request) !== undefined;
      response.writeHead(known ? 400 : 404, { "Content-Type": "text/plain; charset=utf-8" });
      response.end(known ? `${notUpgraded}\n` : "404 page not found\n");
    };
    const server = tls ? createSecureServer(secureServerOptions(tls), onRequest) : createServer(onRequest);
    server.on("secureConnection", (socket: Socket) => socket.on("error", () => {}));
    server.on("connection", (socket) => {
      this.#sockets.add(socket.on("error", () => {}));
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => void this.#onUpgrade({ request, socket, head }));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    const url = base((server.address() as AddressInfo).port);
    return tls ? url.replace(/^(?:http:)?\/\//, "https://") : url;
  }

  /** Returns the session of a request. Its token is then no longer valid, even if the request is rejected. */
  #take({ url = "" }: IncomingMessage): StreamingRequest | undefined {
    const [, kind, token = ""] = /^(?:\/cri)?\/(exec|attach|portforward)\/([^/?]+)$/.exec(url) ?? [];
    const session = this.#handlers.take(token);
    return session?.kind.toLowerCase() === kind ? session : undefined;
  }

  async #onUpgrade(upgrade: Upgrade): Promise<void> {
    const { request, socket } = upgrade;
    const session = this.#take(request);
    const protocol = request.headers.upgrade?.toLowerCase();
    const { spdy = true, websocket = true } = this.#options;
    if (!session) reject(socket, "404 Not Found", "404 page not found");
    else if (protocol === "spdy/3.1" && spdy) await this.#serve(upgrade, session, true);
    else if (protocol === "websocket" && websocket) await this.#serve(upgrade, session, false);
    else reject(socket, "400 Bad Request", notUpgraded);
  }

  async #serve(upgrade: Upgrade, { kind, request }: StreamingRequest, spdy: boolean): Promise<void> {
    if (kind === "portForward") {
      const connect = (port: number) => this.#handlers.connect(request, port);
      if (spdy) acceptSpdyForward(upgrade, connect);
      else await acceptWebSocketForward(upgrade, request.port, connect);
      return;
    }
    const command = spdy
      ? await acceptSpdyCommand(upgrade, request, this.#options.dataAfterEnd)
      : await acceptWebSocketCommand(upgrade, request);
    if (!command) return;
    const status = await (kind === "exec"
      ? this.#handlers.exec(request, command.io)
      : this.#handlers.attach(request, command.io));
    await command.finish(status);
  }
}

const notUpgraded = "unable to upgrade: missing upgrade headers in request";

function reject(socket: Duplex, status: string, body: string): void {
  const head = `Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length + 1}`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}\n`);
}
