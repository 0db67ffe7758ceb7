/**
 * A proxy between client and runtime that cuts the connection during a chosen call. It parses HTTP/2 on both sides to identify
 * calls.
 *
 * @module
 */
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { folder } from "./folder.js";

/**
 * When to cut the connection.
 *
 * - `after-request`: when the runtime has received all or most of the request.
 * - `before-reply`: when the runtime has completed the call and replied. The client never receives the reply.
 */
export type Cut = "after-request" | "before-reply";

export class CuttingProxy implements AsyncDisposable {
  readonly endpoint: string;
  readonly #server: Http2Server;
  readonly #target: string;
  readonly #sessions = new Map<ServerHttp2Session, { upstream: ClientHttp2Session; sockets: Socket[] }>();
  readonly #plans: { rpc: string; cut: Cut }[] = [];
  readonly #cleanUp: () => Promise<void>;

  private constructor(path: string, target: string, cleanUp: () => Promise<void>) {
    this.endpoint = `unix://${path}`;
    this.#target = target;
    this.#cleanUp = cleanUp;
    this.#server = createServer();
    // The listener of Node.js runs next and emits "session" synchronously, so `incoming` is the socket of that session.
    let incoming: Socket | undefined;
    this.#server.prependListener("connection", (socket: Socket) => {
      incoming = socket;
    });
    this.#server.on("session", (session) => this.#connect(session, incoming!));
    this.#server.on("stream", (stream, headers) => this.#forward(stream, headers));
  }

  static async start(targetEndpoint: string): Promise<CuttingProxy> {
    const home = await folder();
    const path = join(home.path, "proxy.sock");
    const proxy = new CuttingProxy(path, targetEndpoint.replace(/^unix:\/\//, ""), async () =>
      home[Symbol.asyncDispose](),
    );
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(path, resolve);
    });
    return proxy;
  }

  /** Cuts the connection on the next call of this RPC. */
  cutNext(rpc: string, cut: Cut): void {
    this.#plans.push({ rpc, cut });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.keys()) this.#disconnect(session);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#cleanUp();
  }

  #connect(session: ServerHttp2Session, incoming: Socket): void {
    const outgoing = createConnection(this.#target);
    const upstream = connect("http://localhost", { createConnection: () => outgoing });
    this.#sessions.set(session, { upstream, sockets: [incoming, outgoing] });
    for (const end of [session, upstream, incoming, outgoing]) {
      end.on("error", () => this.#disconnect(session));
      end.on("close", () => this.#disconnect(session));
    }
  }

  /** Destroys both sockets without a GOAWAY frame, as a broken connection does. */
  #disconnect(session: ServerHttp2Session): void {
    const { sockets = [] } = this.#sessions.get(session) ?? {};
    this.#sessions.delete(session);
    for (const socket of sockets) socket.destroy();
  }

  #forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const session = stream.session as ServerHttp2Session;
    const { upstream } = this.#sessions.get(session) ?? {};
    const rpc = headers[":path"]?.split("/").at(-1) ?? "";
    const index = this.#plans.findIndex((plan) => plan.rpc === rpc);
    const [plan] = index === -1 ? [] : this.#plans.splice(index, 1);
    stream.on("error", () => {});
    if (!upstream || upstream.destroyed) {
      stream.close();
      return;
    }
    const outgoing = upstream.request(headers);
    outgoing.on("error", () => stream.close());
    stream.on("close", () => outgoing.close());
    stream.pipe(outgoing);
    if (plan?.cut === "after-request") {
      // The proxy has written the whole request. Waits 5 ms so that the runtime can receive it.
      stream.on("end", () => setTimeout(() => this.#disconnect(session), 5));
    }
    outgoing.on("response", (reply, flags) => {
      if (plan?.cut === "before-reply") {
        this.#disconnect(session);
        return;
      }
      const ended = (flags & 1) === 1;
      stream.respond(withoutSymbols(reply), { endStream: ended, waitForTrailers: !ended });
      if (ended) return;
      let trailers: IncomingHttpHeaders = {};
      outgoing.on("trailers", (received) => {
        trailers = received;
      });
      stream.on("wantTrailers", () => stream.sendTrailers(withoutSymbols(trailers)));
      outgoing.pipe(stream);
    });
  }
}

/** Removes the symbol with the list of sensitive headers, which Node.js adds to received headers but refuses to send. */
function withoutSymbols(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers));
}
