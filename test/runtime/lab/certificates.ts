/**
 * Creates certificates for tests of TLS, valid for one day.
 *
 * @module
 */
// @peculiar/x509 uses decorators that need this import first.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 60 * 60 * 1000;

/** A certificate with its private key, both in PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface IssueOptions {
  /** Names and addresses of the server. @defaultValue `localhost` and `127.0.0.1` */
  hosts?: readonly string[];
  /** Creates a certificate that has expired. @defaultValue false */
  expired?: boolean;
}

/** A certificate authority that exists in memory only. */
export class CertificateAuthority {
  private constructor(
    /** The authority's own certificate in PEM, for the peer's list of trusted authorities. */
    readonly certificate: string,
    private readonly issuer: string,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(name = "CRI lab authority"): Promise<CertificateAuthority> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: `CN=${name}`,
        keys: keys,
        signingAlgorithm: signing,
        ...validity(false),
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        ],
      },
      webcrypto,
    );
    return new CertificateAuthority(certificate.toString("pem"), certificate.subject, keys);
  }

  /** Issues a server certificate for the given hosts. */
  async issueServer(name = "localhost", options: IssueOptions = {}): Promise<KeyPair> {
    return await this.issue(name, x509.ExtendedKeyUsage.serverAuth, options);
  }

  /** Issues a client certificate. */
  async issueClient(name = "client", options: IssueOptions = {}): Promise<KeyPair> {
    return await this.issue(name, x509.ExtendedKeyUsage.clientAuth, { hosts: [], ...options });
  }

  private async issue(name: string, usage: x509.ExtendedKeyUsage, options: IssueOptions): Promise<KeyPair> {
    const keys = await generateKeys();
    const hosts = options.hosts ?? ["localhost", "127.0.0.1"];
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${name}`,
        issuer: this.issuer,
        publicKey: keys.publicKey,
        signingKey: this.keys.privateKey,
        signingAlgorithm: signing,
        ...validity(options.expired ?? false),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          ...(hosts.length === 0
            ? []
            : [
                new x509.SubjectAlternativeNameExtension(
                  hosts.map((host) => ({ type: isIP(host) ? "ip" : "dns", value: host })),
                ),
              ]),
        ],
      },
      webcrypto,
    );
    return { certificate: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
  }
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Returns a validity that starts two days ago, in case clocks differ. */
function validity(expired: boolean): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 2 * day), notAfter: new Date(expired ? now - day : now + day) };
}
