import type { Socket } from "node:net";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { verifiedFor } from "../internal/server-identity.js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
type Target = Parameters<ChannelCredentials["_createSecureConnector"]>[0];

/**
 * The credentials of a TLS channel to one host. The credentials of grpc-js (1.14) send an IP address as server name, which
 * Node.js 26 refuses to do.
 */
export class TlsCredentials extends ChannelCredentials {
  readonly #secureContext: SecureContext;
  readonly #host: string;

  constructor(secureContext: SecureContext, host: string) {
    super();
    this.#secureContext = secureContext;
    this.#host = host;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: Target,
    options: ChannelOptions,
    callCredentials = CallCredentials.createEmpty(),
  ): SecureConnector {
    const host = options["grpc.ssl_target_name_override"] ?? this.#host;
    return {
      waitForReady: async () => {},
      connect: async (socket) => ({ socket: await handshake(socket, this.#secureContext, host), secure: true }),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }
}

function handshake(socket: Socket, secureContext: SecureContext, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({ socket, secureContext, ALPNProtocols: ["h2"], ...verifiedFor(host) }, () =>
      resolve(secured),
    );
    secured.once("close", () => reject(new Error("the connection was closed during the TLS handshake")));
    // This listener is never removed, because an error before grpc-js adds its own listener would end the process.
    secured.on("error", reject);
  });
}
