/**
 * The certificates of a lab, as files: containerd reads its own, tests read the clients'.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority } from "./certificates.js";
import type { TcpSettings } from "./containerd-config.js";

/** A TCP endpoint with mutual TLS; the paths lead to PEM files. */
export interface LabTcp {
  /** Host and port. */
  address: string;
  servesCri: boolean;
  authorityFile: string;
  clientCertificateFile: string;
  clientKeyFile: string;
  /** A certificate of an authority that the server does not know, and that authority. */
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
  const stranger = await CertificateAuthority.create("Unrelated authority");
  const server = await authority.issueServer();
  const client = await authority.issueClient();
  const strangerClient = await stranger.issueClient("stranger");
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
      untrustedCertificateFile: await write("stranger.pem", strangerClient.certificate),
      untrustedKeyFile: await write("stranger-key.pem", strangerClient.key),
      untrustedAuthorityFile: await write("stranger-authority.pem", stranger.certificate),
    },
  };
}
