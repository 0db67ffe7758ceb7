import type { Socket } from "node:net";
import { ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials that refuse every new connection once they are closed. grpc-js (1.14) has no other way to stop a closed channel
 * from connecting: grpc-js continues an attempt until its time limit, still makes an attempt that is due after back-off, and
 * never closes the connection.
 */
export class ClosableCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  /** Open connections, each with the socket that HTTP/2 uses, which is undefined until the TLS handshake is complete. */
  readonly #connections = new Map<Socket, Socket | undefined>();
  #closed = false;

  constructor(inner: ChannelCredentials) {
    super();
    this.#inner = inner;
  }

  /** Closes the connections that are not yet established. The HTTP/2 session closes the others. */
  close(): void {
    this.#closed = true;
    for (const [socket, secured] of this.#connections) {
      // An HTTP/2 server sends its settings first, so received bytes mean that the session is established.
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
      // grpc-js calls this before it connects.
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
    if (this.#closed) throw new Error("the channel was closed");
  }
}
