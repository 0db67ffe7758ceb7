// The certificate library requires this polyfill for its decorators.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

/** A certificate and its key, as PEM. */
export interface CertifiedKey {
  cert: string;
  key: string;
}

/** The content of a certificate. */
export interface CertificateSubject {
  /** Host names and IP addresses of a server. Clients have none. @defaultValue [] */
  names?: readonly string[] | undefined;
  /** @defaultValue "test" */
  commonName?: string | undefined;
  /** @defaultValue an hour ago */
  notBefore?: Date | undefined;
  /** @defaultValue in an hour */
  notAfter?: Date | undefined;
}

/** A certificate authority for one test. */
export interface CertificateAuthority {
  /** The authority's certificate as PEM. */
  readonly cert: string;
  issue(subject?: CertificateSubject): Promise<CertifiedKey>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hour = 3_600_000;

/** Creates a certificate authority. Takes a few milliseconds. */
export async function createCertificateAuthority(commonName = "Test Authority"): Promise<CertificateAuthority> {
  const keys = await newKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - 24 * hour),
    notAfter: new Date(Date.now() + 24 * hour),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    cert: authority.toString("pem"),
    async issue(subject = {}) {
      const subjectKeys = await newKeys();
      const names = (subject.names ?? []).map(
        (name) => ({ type: isAddress(name) ? "ip" : "dns", value: name }) as const,
      );
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: `CN=${subject.commonName ?? "test"}`,
        issuer: authority.subject,
        notBefore: subject.notBefore ?? new Date(Date.now() - hour),
        notAfter: subject.notAfter ?? new Date(Date.now() + hour),
        publicKey: subjectKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        ],
      });
      return { cert: certificate.toString("pem"), key: await toPem(subjectKeys.privateKey) };
    },
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function serialNumber(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString("hex");
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(":");
}
