import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import { InvalidInputError } from "../errors.js";
import { verifiedFor } from "../internal/server-identity.js";
import type { TlsOptions } from "../options.js";

/**
 * How to connect to the server of an `https:` URL. Its certificate is verified whatever the process was told by
 * `NODE_TLS_REJECT_UNAUTHORIZED`: a streaming URL carries a token that makes whoever reads it root on the node.
 *
 * @throws InvalidInputError for credentials that cannot be used, before anything is sent
 */
export function tlsOptionsFor(url: URL, tls: TlsOptions = {}): ConnectionOptions {
  const { serverName = url.hostname.replace(/^\[(.*)\]$/, "$1") } = tls;
  return { secureContext: secureContextOf(tls), ...verifiedFor(serverName) };
}

function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext {
  if ((cert === undefined) !== (key === undefined)) throw unusable("holds only one of cert and key, which go together");
  try {
    // OpenSSL itself passes over an authority that it cannot read.
    if (ca !== undefined) new X509Certificate(pem(ca));
    return createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca !== undefined && { ca: pem(ca) }),
      ...(cert !== undefined && { cert: pem(cert) }),
      ...(key !== undefined && { key: pem(key) }),
    });
  } catch (cause) {
    // OpenSSL names what it could not read, never its content.
    throw unusable("holds a certificate or key that cannot be used", cause);
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function unusable(message: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError({ field: "tls", message, cause });
}

/** What helps against a failure, by the error's code and the alert that OpenSSL quotes by number. */
const remedies: readonly (readonly [RegExp, string])[] = [
  // The server's complaints about the client; TLS 1.2 has no word of its own for a missing certificate.
  [/alert number (?:4[0-68]|49|116)\b/, "it may demand a client certificate that it trusts: tls.cert and tls.key"],
  [/ALTNAME/, "tls.serverName can name the one to expect"],
  [
    /SELF_SIGNED|GET_ISSUER|LEAF_SIGNATURE|SIGNATURE_FAILURE|CERT_UNTRUSTED/,
    "set tls.ca to the authority that issued its certificate",
  ],
];

/** Which of the TLS options may help against a failed connection. */
export function tlsRemedyFor(error: NodeJS.ErrnoException): string | undefined {
  const signs = `${error.code} ${error.message}`;
  return remedies.find(([pattern]) => pattern.test(signs))?.[1];
}
