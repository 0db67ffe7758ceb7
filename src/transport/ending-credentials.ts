import type { Socket } from "node:net";
import { ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials that nothing can be dialled with any more once they have ended. grpc-js (1.14) has no other means to stop a closed
 * channel from connecting: an attempt under way goes on until its time limit, and one that is due after a pause is made all the
 * same, and its connection is never closed.
 */
export class EndingCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  /** The connections that are open. During a TLS handshake, there is nothing yet that HTTP/2 could use. */
  readonly #connections = new Map<Socket, Socket | undefined>();
  #ended = false;

  constructor(inner: ChannelCredentials) {
    super();
    this.#inner = inner;
  }

  /** Also hangs up where the handshake is not over. Other connections are left to their HTTP/2 session. */
  end(): void {
    this.#ended = true;
    for (const [socket, secured] of this.#connections) {
      // A server begins HTTP/2 with its settings, without being asked.
      if (!secured || secured.bytesRead === 0) socket.destroy();
    }
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<ChannelCredentials["_createSecureConnector"]>): SecureConnector {
    const connector = this.#inner._createSecureConnector(...args);
    return {
      // Asked before anything is dialled.
      waitForReady: async () => {
        this.#checkOpen();
        await connector.waitForReady();
      },
      connect: async (socket) => {
        this.#checkOpen();
        this.#connections.set(socket, undefined);
        socket.once("close", () => this.#connections.delete(socket));
        const connected = await connector.connect(socket);
        this.#checkOpen();
        this.#connections.set(socket, connected.socket);
        return connected;
      },
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }

  #checkOpen(): void {
    if (this.#ended) throw new Error("the channel was closed");
  }
}
