/** Certificates of a TLS server, as PEM. */
export interface ServerTls {
  cert: string | Uint8Array;
  key: string | Uint8Array;
  /** Authorities for client certificates. If set, the server rejects clients without a certificate. */
  clientCa?: string | Uint8Array | undefined;
}

/** Returns the options for a TLS server of Node.js. */
export function secureServerOptions({ cert, key, clientCa }: ServerTls) {
  return {
    cert: cert as string | Buffer,
    key: key as string | Buffer,
    ...(clientCa && { ca: clientCa as string | Buffer, requestCert: true, rejectUnauthorized: true }),
  };
}
