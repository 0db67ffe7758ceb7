import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { InvalidInputError } from "../errors.js";
import { type FieldsOf, object } from "../input/object-reader.js";
import type { TlsOptions } from "../options.js";
import { TlsCredentials } from "./tls-credentials.js";

const tlsFields: FieldsOf<TlsOptions> = { ca: true, cert: true, key: true, serverName: true };

/** Checks that TLS options are an object without unknown fields. @throws {@link InvalidInputError}, which never shows a value */
export function checkTlsFields(tls: TlsOptions | undefined, field: "tls" | "streamTls"): void {
  if (tls !== undefined) object(tls, field, tlsFields);
}

/** Returns whether any field of the TLS options is set. */
export function hasTlsOptions(tls: TlsOptions | undefined): tls is TlsOptions {
  return tls !== undefined && Object.values(tls).some((value) => value !== undefined);
}

/**
 * Parses all TLS options, so that a mistake is reported at once rather than by a failed handshake. OpenSSL silently skips a
 * certificate authority that it cannot read.
 *
 * @throws {@link InvalidInputError} that names the field and never shows its content
 */
export function checkTlsOptions(tls: TlsOptions): void {
  if (tls.serverName !== undefined && (typeof tls.serverName !== "string" || !/^[^\s/:@]+$/.test(tls.serverName))) {
    throw invalid("serverName", "must be a host name, without scheme and port");
  }
  if (tls.ca !== undefined) readCertificates("ca", tls.ca);
  if (tls.cert === undefined && tls.key === undefined) return;
  if (tls.key === undefined) throw invalid("key", "is missing: tls.cert needs its private key");
  if (tls.cert === undefined) throw invalid("cert", "is missing: tls.key needs its certificate");
  const [certificate] = readCertificates("cert", tls.cert);
  const key = readKey(tls.key);
  if (certificate !== undefined && !certificate.checkPrivateKey(key)) {
    throw invalid("key", "does not belong to the first certificate of tls.cert");
  }
}

/**
 * Creates the credentials of a TLS channel. The server's certificate must be for `tls.serverName`, or else for `host`.
 *
 * @throws {@link InvalidInputError} if the TLS options cannot be read
 */
export function createTlsCredentials(host: string, tls: TlsOptions = {}): TlsCredentials {
  checkTlsOptions(tls);
  const { serverName = host, ca, cert, key } = tls;
  const context = createSecureContext({
    ...(ca !== undefined && { ca: certificates("ca", ca) }),
    ...(cert !== undefined && { cert: certificates("cert", cert) }),
    ...(key !== undefined && { key: pemText("key", key) }),
  });
  return new TlsCredentials(context, serverName);
}

// Joins the certificates with line breaks: without a line break between them, OpenSSL reads only the first certificate.
function certificates(field: "ca" | "cert", value: string | Uint8Array): string {
  return certificateBlocks(field, value).join("\n");
}

/** Patterns of error messages of grpc-js, Node.js and OpenSSL, each with an explanation for users of this package. */
const explanations: readonly (readonly [RegExp, string])[] = [
  // Alerts from the server about the client, which OpenSSL quotes by number.
  [/alert number 116\b/, "the server demands a client certificate: set tls.cert and tls.key"],
  [/alert number 48\b/, "the server does not trust the authority that issued tls.cert"],
  [/alert number 45\b/, "the server says that the client certificate in tls.cert has expired"],
  [/alert number 4[236]\b/, "the server refuses the client certificate, or demands one: check tls.cert and tls.key"],
  // TLS 1.2 has no alert of its own for a missing client certificate.
  [/alert number 40\b/, "the TLS handshake failed: the server may demand a client certificate (tls.cert and tls.key)"],
  [/alert number 70\b|unsupported protocol/i, "the server does not speak TLS 1.2 or later"],
  [/alert number 112\b/, "the server does not serve the requested name: set tls.serverName"],
  [
    /wrong version number|packet length too long/i,
    "the server does not speak TLS on this port: is the endpoint a plain http:// one?",
  ],
  // The client's own errors about the server.
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/i,
    "the server's certificate is for another name: set tls.serverName to a name in the certificate",
  ],
  [
    /certificate has expired|CERT_HAS_EXPIRED/,
    "the server's certificate, or the authority that issued it, has expired",
  ],
  [
    /certificate is not yet valid|CERT_NOT_YET_VALID/,
    "the server's certificate is not valid yet: compare the clocks of both machines",
  ],
  [
    /unable to verify the first certificate|unable to get (?:local )?issuer certificate|self.signed certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED_CERT/,
    "the server's certificate was issued by an authority that is not trusted: set tls.ca to the authority's certificate",
  ],
];

/**
 * Explains why a TLS connection failed.
 *
 * @param details the details of an UNAVAILABLE status, which quote the error of the last attempt to connect
 * @returns `undefined` if the details are not about TLS or do not include the reason: a server may close the connection without
 * an alert
 */
export function explainTlsFailure(details: string): string | undefined {
  // Runtimes report TLS failures of registries with similar messages.
  if (!details.includes("No connection established")) return undefined;
  return explanations.find(([pattern]) => pattern.test(details))?.[1];
}

const pemCertificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function readCertificates(field: "ca" | "cert", value: string | Uint8Array): X509Certificate[] {
  const blocks = certificateBlocks(field, value);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw invalid(field, `certificate ${index + 1} of ${blocks.length} cannot be read`, cause);
    }
  });
}

function certificateBlocks(field: "ca" | "cert", value: string | Uint8Array): string[] {
  const blocks = pemText(field, value).match(pemCertificate);
  if (blocks === null) throw invalid(field, "contains no PEM certificate");
  return blocks;
}

function readKey(value: string | Uint8Array): KeyObject {
  const pem = pemText("key", value);
  if (!pem.includes("PRIVATE KEY-----")) throw invalid("key", "contains no PEM private key");
  if (/ENCRYPTED/.test(pem)) throw invalid("key", "is encrypted; decrypt it first");
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw invalid("key", "cannot be read", cause);
  }
}

function pemText(field: "ca" | "cert" | "key", value: unknown): string {
  if (typeof value !== "string" && !(value instanceof Uint8Array))
    throw invalid(field, "must be PEM, as a string or bytes");
  const text = typeof value === "string" ? value : Buffer.from(value).toString("latin1");
  if (text.trim() === "") throw invalid(field, "is empty");
  if (!text.includes("-----BEGIN")) {
    const isPath = text.length < 4096 && /^[^\n]*(?:[\\/]|\.(?:pem|crt|cer|key))[^\n]*$/.test(text);
    throw invalid(field, isPath ? "looks like the name of a file; pass its content" : "is not PEM");
  }
  return text;
}

function invalid(field: keyof TlsOptions, message: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError({ field: `tls.${field}`, message, cause });
}
