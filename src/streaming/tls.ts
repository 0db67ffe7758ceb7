import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import { InvalidInputError } from "../errors.js";
import { verifiedFor } from "../internal/server-identity.js";
import type { TlsOptions } from "../options.js";

/**
 * Returns the TLS options for the server of an `https:` URL. The server's certificate is always verified, even with
 * `NODE_TLS_REJECT_UNAUTHORIZED=0`: a streaming URL contains a token, and anyone who reads it can become root on the node.
 *
 * @throws InvalidInputError for credentials that cannot be used, before anything is sent
 */
export function tlsOptionsFor(url: URL, tls: TlsOptions = {}): ConnectionOptions {
  const { serverName = url.hostname.replace(/^\[(.*)\]$/, "$1") } = tls;
  return { secureContext: secureContextOf(tls), ...verifiedFor(serverName) };
}

function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext {
  if ((cert === undefined) !== (key === undefined)) throw unusable("has only one of cert and key; set both");
  try {
    // OpenSSL silently ignores an authority that it cannot parse.
    if (ca !== undefined) new X509Certificate(pem(ca));
    return createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca !== undefined && { ca: pem(ca) }),
      ...(cert !== undefined && { cert: pem(cert) }),
      ...(key !== undefined && { key: pem(key) }),
    });
  } catch (cause) {
    // OpenSSL's error names the part that it could not parse and never quotes it.
    throw unusable("has a certificate or key that cannot be used", cause);
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}

function unusable(message: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError({ field: "tls", message, cause });
}

/** Remedies by the error's code and the number of the alert in OpenSSL's message. */
const remedies: readonly (readonly [RegExp, string])[] = [
  // Alerts about the client's certificate. TLS 1.2 has no alert of its own for a missing one.
  [/alert number (?:4[0-68]|49|116)\b/, "it may require a client certificate that it trusts: set tls.cert and tls.key"],
  [/ALTNAME/, "set tls.serverName to a name in the certificate"],
  [
    /SELF_SIGNED|GET_ISSUER|LEAF_SIGNATURE|SIGNATURE_FAILURE|CERT_UNTRUSTED/,
    "set tls.ca to the authority that issued its certificate",
  ],
];

/** Returns which TLS option may fix a failed connection. */
export function tlsRemedyFor(error: NodeJS.ErrnoException): string | undefined {
  const symptoms = `${error.code} ${error.message}`;
  return remedies.find(([pattern]) => pattern.test(symptoms))?.[1];
}
