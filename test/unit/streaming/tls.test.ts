import { inspect } from "node:util";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { CriError, InvalidInputError } from "../../../src/errors.js";
import type { TlsOptions } from "../../../src/options.js";
import {
  type CertificateAuthority,
  type CertifiedKey,
  createCertificateAuthority,
} from "../../support/certificates.js";
import { protocols, readAll, rejection, serveAnswer, serveHello, token } from "./support.js";

let authority: CertificateAuthority;
let server: CertifiedKey;
let ca: string;
beforeAll(async () => {
  authority = await createCertificateAuthority();
  ca = authority.cert;
  server = await authority.issue({ names: ["127.0.0.1", "runtime.example"] });
});

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(protocols)("over %s", (_protocol, open) => {
  async function greeting(url: URL, tls: TlsOptions): Promise<string> {
    const command = await open(url, { tls });
    const text = (await readAll(command.stdout)).toString();
    expect(await command.status).toEqual({ kind: "exited", exitCode: 0 });
    return text;
  }

  /** Returns the error of a handshake that fails before the server receives the request. */
  async function refusal(served: Awaited<ReturnType<typeof serveHello>>, tls?: TlsOptions): Promise<CriError> {
    const error = await rejection(open(served.url, { tls }));
    expect(error).toBeInstanceOf(CriError);
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
    expect(served.requests()).toBe(0);
    return error as CriError;
  }

  const untrusted = { code: "UNAVAILABLE", attempts: 1, mayHaveTakenEffect: false };

  test("trusts an authority given as a string or as bytes", async () => {
    const { url } = await serveHello(server);
    expect(await greeting(url, { ca })).toBe("hello");
    expect(await greeting(url, { ca: bytes(ca) })).toBe("hello");
    const other = await createCertificateAuthority("Other Authority");
    expect(await greeting(url, { ca: `# theirs\n${other.cert}\n# ours\n${ca}` })).toBe("hello");
  });

  test("rejects an unknown authority, with a remedy", async () => {
    const served = await serveHello(server);
    const authorities = await Promise.all([
      createCertificateAuthority(),
      createCertificateAuthority("Other Authority"),
    ]);
    for (const tls of [undefined, {}, ...authorities.map(({ cert }) => ({ ca: cert }))]) {
      const error = await refusal(served, tls);
      expect(error).toMatchObject({ ...untrusted, details: expect.stringContaining(served.url.host) });
      expect(error.details).toMatch(/; set tls\.ca to the authority/);
    }
  });

  test("rejects it even with NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockReturnValue();
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await refusal(await serveHello(server))).toMatchObject(untrusted);
      const other = await authority.issue({ names: ["other.example"] });
      expect(await refusal(await serveHello(other), { ca })).toMatchObject(untrusted);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      warning.mockRestore();
    }
  });

  test("rejects a certificate for another name unless serverName expects that name", async () => {
    const served = await serveHello(await authority.issue({ names: ["other.example"] }));
    for (const tls of [{ ca }, { ca, serverName: "third.example" }, { ca, serverName: "127.0.0.1" }]) {
      const error = await refusal(served, tls);
      expect(error).toMatchObject(untrusted);
      expect(error.details).toMatch(/; set tls\.serverName to a name in the certificate$/);
    }
    expect(await greeting(served.url, { ca, serverName: "other.example" })).toBe("hello");
  });

  test("accepts IP addresses as server names", async () => {
    const served = await serveHello(await authority.issue({ names: ["127.0.0.1", "::1"] }));
    for (const serverName of [undefined, "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"]) {
      expect(await greeting(served.url, { ca, serverName })).toBe("hello");
    }
    const { url } = await serveHello(await authority.issue({ names: ["::1"] }));
    expect((await rejection(open(url, { tls: { ca, serverName: "127.0.0.2" } }))) as CriError).toMatchObject(untrusted);
  });

  test("sends a name to the server, but no address", async () => {
    const names: unknown[] = [];
    const { url } = await serveHello({
      ...server,
      SNICallback: (name, callback) => {
        names.push(name);
        callback(null);
      },
    });
    await greeting(url, { ca });
    await greeting(url, { ca, serverName: "runtime.example" });
    expect(names).toEqual(["runtime.example"]);
  });

  test("rejects an expired certificate", async () => {
    const [notBefore, notAfter] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
    const error = await refusal(
      await serveHello(await authority.issue({ names: ["127.0.0.1"], notBefore, notAfter })),
      { ca },
    );
    expect(error).toMatchObject({ ...untrusted, details: expect.stringMatching(/: certificate has expired$/) });
  });

  describe.each(["TLSv1.2", "TLSv1.3"] as const)("a server that requires a client certificate, %s", (version) => {
    const serveMutualTls = () =>
      serveHello({ ...server, ca, requestCert: true, rejectUnauthorized: true, maxVersion: version });

    test("gets it, given as a string or as bytes", async () => {
      const { url } = await serveMutualTls();
      const { cert, key } = await authority.issue({ commonName: "client" });
      expect(await greeting(url, { ca, cert, key })).toBe("hello");
      expect(await greeting(url, { ca, cert: bytes(cert), key: bytes(key) })).toBe("hello");
    });

    test("rejects clients without one", async () => {
      const error = await refusal(await serveMutualTls(), { ca });
      expect(error.code).toBe("UNAVAILABLE");
      expect(error.details).toMatch(/: [\w/ ]*alert [\w ]+; it may require a client certificate/);
    });
  });

  test("rejects TLS 1.1", async () => {
    const served = await serveHello({
      ...server,
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    expect(await refusal(served, { ca })).toMatchObject({ code: "UNAVAILABLE" });
  });

  test.each<[string, () => TlsOptions]>([
    ["ca that is not PEM", () => ({ ca: "s3cret" })],
    ["ca that is empty", () => ({ ca: "" })],
    ["cert and key that are not PEM", () => ({ cert: "s3cret", key: "s3cret" })],
    ["cert that is damaged", () => ({ ...server, cert: server.cert.replace(/\n[^-]{20}/, "\ns3crets3crets3crets3") })],
    ["key that is not a key", () => ({ ...server, key: ca })],
    ["key of another certificate", () => ({ cert: ca, key: server.key })],
    ["cert without key", () => ({ cert: server.cert })],
    ["key without cert", () => ({ key: server.key })],
  ])("%s is named in the error without its content", async (_name, tls) => {
    const error = await refusal(await serveHello(server), { ca, ...tls() });
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: "tls" });
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/s3cret|BEGIN/);
  });

  test("a server without TLS", async () => {
    const url = await serveAnswer("HTTP/1.1 400 X\r\n\r\n");
    url.protocol = "https:";
    expect(await rejection(open(url))).toMatchObject(untrusted);
  });
});
