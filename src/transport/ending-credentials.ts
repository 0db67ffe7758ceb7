import { ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials that nothing can be dialled with any more once they have ended. grpc-js (1.14) has no other means to stop a closed
 * channel from connecting: an attempt that is due after a pause is made all the same, and its connection is never closed.
 */
export class EndingCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  #ended = false;

  constructor(inner: ChannelCredentials) {
    super();
    this.#inner = inner;
  }

  end(): void {
    this.#ended = true;
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
        if (this.#ended) throw new Error("the channel was closed");
        await connector.waitForReady();
      },
      connect: (socket) => connector.connect(socket),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }
}
