/**
 * Writes the certificates of a lab to files, for containerd and for tests.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "./certificates.js";
import type { TcpSettings } from "./containerd-config.js";

/** A TCP endpoint with mutual TLS. The files are in PEM format. */
export interface LabTcp {
  /** Host and port. */
  address: string;
  servesCri: boolean;
  authorityFile: string;
  clientCertificateFile: string;
  clientKeyFile: string;
  /** A client certificate and its authority, which the server does not trust. */
  untrustedCertificateFile: string;
  untrustedKeyFile: string;
  untrustedAuthorityFile: string;
}

export interface TlsFiles {
  server: Omit<TcpSettings, "address" | "servesCri">;
  client: Omit<LabTcp, "address" | "servesCri">;
}

export async function writeCertificates(folder: string): Promise<TlsFiles> {
  await mkdir(folder, { recursive: true });
  const write = async (name: string, content: string) => {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  const authority = await CertificateAuthority.create();
  const untrusted = await CertificateAuthority.create("Unrelated authority");
  const server = await authority.issueServer();
  const client = await authority.issueClient();
  const untrustedClient = await untrusted.issueClient("untrusted");
  const authorityFile = await write("authority.pem", authority.certificate);
  return {
    server: {
      certificateFile: await write("server.pem", server.certificate),
      keyFile: await write("server-key.pem", server.key),
      clientAuthorityFile: authorityFile,
    },
    client: {
      authorityFile,
      clientCertificateFile: await write("client.pem", client.certificate),
      clientKeyFile: await write("client-key.pem", client.key),
      untrustedCertificateFile: await write("untrusted.pem", untrustedClient.certificate),
      untrustedKeyFile: await write("untrusted-key.pem", untrustedClient.key),
      untrustedAuthorityFile: await write("untrusted-authority.pem", untrusted.certificate),
    },
  };
}
