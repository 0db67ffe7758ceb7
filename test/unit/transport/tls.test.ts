import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import type { TlsOptions } from "../../../src/options.js";
import { checkTlsOptions, createTlsCredentials, explainTlsFailure, hasTlsOptions } from "../../../src/transport/tls.js";
import { type CertifiedKey, createCertificateAuthority } from "../../support/certificates.js";

let ca: string;
let client: CertifiedKey;
let other: CertifiedKey;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.cert;
  client = await authority.issue();
  other = await authority.issue();
});

function refusal(tls: unknown): InvalidInputError {
  try {
    checkTlsOptions(tls as TlsOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
  throw new Error("was accepted");
}

const damaged = (pem: string) => pem.replace(/\n[^-]{20}/, "\nAAAAsecretsecretsecr");

describe("checkTlsOptions", () => {
  it("accepts strings and bytes, several authorities, a chain, and text around the PEM", () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(() => checkTlsOptions({})).not.toThrow();
    expect(() => checkTlsOptions({ ca: `# ours\n${ca}\n# theirs\n${ca}` })).not.toThrow();
    expect(() => checkTlsOptions({ ca: bytes(ca), cert: bytes(client.cert), key: bytes(client.key) })).not.toThrow();
    expect(() => checkTlsOptions({ cert: client.cert + ca, key: client.key, serverName: "node7" })).not.toThrow();
    expect(createTlsCredentials("localhost", { ca, ...client })._isSecure()).toBe(true);
    expect(createTlsCredentials("localhost")._isSecure()).toBe(true);
  });

  it.each([
    ["ca that is a file name", () => ({ ca: "/etc/ssl/ca.pem" }), "tls.ca", /looks like the name of a file/],
    ["ca that is no PEM", () => ({ ca: "secret" }), "tls.ca", /is not PEM/],
    ["ca that is empty", () => ({ ca: "\n" }), "tls.ca", /is empty/],
    ["ca of the wrong type", () => ({ ca: 42 }), "tls.ca", /must be PEM, as a string or bytes/],
    ["ca that is a key", () => ({ ca: client.key }), "tls.ca", /contains no PEM certificate/],
    ["ca that is damaged", () => ({ ca: ca + damaged(ca) }), "tls.ca", /certificate 2 of 2 cannot be read/],
    ["cert without key", () => ({ cert: client.cert }), "tls.key", /is missing/],
    ["key without cert", () => ({ key: client.key }), "tls.cert", /is missing/],
    [
      "cert that is damaged",
      () => ({ cert: damaged(client.cert), key: client.key }),
      "tls.cert",
      /certificate 1 of 1 cannot/,
    ],
    [
      "key that is a certificate",
      () => ({ cert: client.cert, key: client.cert }),
      "tls.key",
      /contains no PEM private key/,
    ],
    ["key that is damaged", () => ({ cert: client.cert, key: damaged(client.key) }), "tls.key", /cannot be read/],
    ["key that is encrypted", () => ({ cert: client.cert, key: encryptedKey() }), "tls.key", /is encrypted/],
    ["key of another certificate", () => ({ cert: client.cert, key: other.key }), "tls.key", /does not belong/],
    ["server name with a port", () => ({ serverName: "node7:443" }), "tls.serverName", /must be a host name/],
    ["server name with a scheme", () => ({ serverName: "https://node7" }), "tls.serverName", /must be a host name/],
    ["server name that is empty", () => ({ serverName: "" }), "tls.serverName", /must be a host name/],
  ] as const)("refuses a %s", (_name, tls, field, message) => {
    const error = refusal(tls());
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
    const body = client.key.split("\n")[1]!;
    const shown = inspect(error, { depth: 5 });
    expect(shown).not.toContain("secret");
    expect(shown).not.toContain(body);
  });

  function encryptedKey(): string {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString();
  }
});

it("hasTlsOptions ignores undefined fields", () => {
  expect(hasTlsOptions(undefined)).toBe(false);
  expect(hasTlsOptions({ ca: undefined })).toBe(false);
  expect(hasTlsOptions({ serverName: "x" })).toBe(true);
});

describe("explainTlsFailure", () => {
  // The error messages of grpc-js 1.14 on Node.js 20. The alerts were received from OpenSSL's s_server.
  // test/integration/connecting.test.ts covers the failures that a Node.js server can cause.
  const quoted = (error: string) => `No connection established. Last error: ${error}. Resolution note: `;
  const alert = (name: string, number: number) =>
    quoted(
      `Error: 807C03F92F7F0000:error:0A000418:SSL routines:ssl3_read_bytes:${name}:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number ${number}\n`,
    );

  it.each([
    [alert("tlsv13 alert certificate required", 116), /demands a client certificate/],
    [alert("tlsv1 alert unknown ca", 48), /does not trust the authority that issued tls\.cert/],
    [alert("sslv3 alert certificate expired", 45), /client certificate in tls\.cert has expired/],
    [alert("sslv3 alert bad certificate", 42), /refuses the client certificate/],
    [alert("sslv3 alert certificate unknown", 46), /refuses the client certificate/],
    [alert("sslv3 alert handshake failure", 40), /may demand a client certificate/],
    [alert("tlsv1 alert protocol version", 70), /does not speak TLS 1\.2/],
    [alert("tlsv1 unrecognized name", 112), /set tls\.serverName/],
    [quoted("Error: self-signed certificate"), /not trusted: set tls\.ca/],
    [quoted("Error: self-signed certificate in certificate chain"), /not trusted: set tls\.ca/],
    [quoted("Error: unable to get local issuer certificate"), /not trusted: set tls\.ca/],
    [quoted("Error: unable to verify the first certificate"), /not trusted: set tls\.ca/],
    [quoted("Error: certificate has expired"), /^the server's certificate, or/],
  ])("%j", (details, explanation) => {
    expect(explainTlsFailure(details)).toMatch(explanation);
  });

  it.each([
    quoted("Error: connect ECONNREFUSED 127.0.0.1:1"),
    quoted("Error: connect ENOENT /run/x.sock"),
    quoted("Failed to connect (2026-11-23T06:22:24.416Z)"),
    alert("tlsv1 alert internal error", 80),
    "failed to pull image: tls: x509: certificate has expired or is not yet valid",
    "",
  ])("does not explain %j", (details) => {
    expect(explainTlsFailure(details)).toBeUndefined();
  });
});
