import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from "node:tls";

/**
 * Returns the TLS options that verify a server's certificate for a host name or an IP address, regardless of
 * `NODE_TLS_REJECT_UNAUTHORIZED`.
 */
export function verifiedFor(
  host: string,
): Pick<ConnectionOptions, "rejectUnauthorized" | "servername" | "checkServerIdentity"> {
  return {
    rejectUnauthorized: true,
    // TLS has no server name (SNI) for an IP address, and Node.js 26 refuses to send one. An empty name sends none.
    servername: isIP(host) === 0 ? host : "",
    checkServerIdentity: (_host, certificate) =>
      holdsAddress(certificate, host) ? undefined : checkServerIdentity(host, certificate),
  };
}

/**
 * Returns whether a certificate is for an IP address. `checkServerIdentity` of some Node.js 22 releases treats an IPv6 address as
 * a name, which no certificate contains.
 */
function holdsAddress({ raw }: PeerCertificate, host: string): boolean {
  return isIP(host) !== 0 && new X509Certificate(raw).checkIP(host) !== undefined;
}
