/** Certificates of a server that speaks TLS; PEM. */
export interface ServerTls {
  cert: string | Uint8Array;
  key: string | Uint8Array;
  /** Authorities of client certificates. When given, clients without a certificate are turned away. */
  clientCa?: string | Uint8Array | undefined;
}

/** The options of Node.js' servers that speak TLS. */
export function secureServerOptions({ cert, key, clientCa }: ServerTls) {
  return {
    cert: cert as string | Buffer,
    key: key as string | Buffer,
    ...(clientCa && { ca: clientCa as string | Buffer, requestCert: true, rejectUnauthorized: true }),
  };
}
