/** The runtime behind TCP, with certificates on both sides. */
import { readFile } from "node:fs/promises";
import { CriClient, EndpointError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { failureOf } from "./helpers/expectations.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("tls", (fixture, lab) => {
  const { tcp } = lab;
  if (!tcp) {
    test("this one has no TCP endpoint: a refused connection is explained", async () => {
      const failure = await failureOf(CriClient.connect({ endpoint: "https://127.0.0.1:1" }));
      expect(failure).toBeInstanceOf(EndpointError);
      expect(String(failure)).toMatch(/ECONNREFUSED.*nothing listens/);
    });
    return;
  }

  const endpoint = `https://${tcp.address}`;
  const port = tcp.address.split(":").at(-1);
  const read = (file: string) => readFile(file);
  const credentials = async () => ({
    ca: await read(tcp.authorityFile),
    cert: await read(tcp.clientCertificateFile),
    key: await read(tcp.clientKeyFile),
  });
  const explained = async (options: Parameters<typeof CriClient.connect>[0]) => {
    const failure = await failureOf(CriClient.connect({ endpoint, ...options }));
    expect(failure).toBeInstanceOf(EndpointError);
    const text = String(failure);
    expect(text).not.toContain("PRIVATE KEY");
    return text;
  };

  if (!tcp.servesCri) {
    test("an endpoint on which CRI is not served: the error says what to change", async () => {
      const failure = await failureOf(CriClient.connect({ endpoint, tls: await credentials() }));
      expect(failure).toBeInstanceOf(EndpointError);
      expect(failure).toMatchObject({ code: "UNIMPLEMENTED" });
      expect(String(failure)).toContain("disable_tcp_service");
    });
  } else {
    test("a whole life of a pod, with a client certificate", async () => {
      await using client = await CriClient.connect({ endpoint, tls: await credentials() });
      expect(client.endpoint).toBe(endpoint);
      await using pod = await client.pods.run(fixture.podSpec());
      await using container = await client.runContainerInSandbox(pod, fixture.containerSpec());
      expect(await outputOf(container, "echo over TLS")).toBe("over TLS");
      await container.stop({ gracePeriodSeconds: 0 });
      expect((await container.wait()).exitCode).toBe(137);
      expect((await client.pods.list({ id: pod.id })).map(({ id }) => id)).toEqual([pod.id]);
    });

    test("by a name that the certificate holds, given as server name", async () => {
      const tls = { ...(await credentials()), serverName: "localhost" };
      await using client = await CriClient.connect({ endpoint, tls });
      expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
      await using named = await CriClient.connect({ endpoint: `https://localhost:${port}`, tls: await credentials() });
      expect((await named.version()).runtimeVersion).toContain(fixture.runtime.version);
    });

    test("certificates as text instead of bytes", async () => {
      const { ca, cert, key } = await credentials();
      const tls = { ca: ca.toString(), cert: cert.toString(), key: key.toString() };
      await using client = await CriClient.connect({ endpoint, tls });
      expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
    });
  }

  test("no client certificate: the error asks for one", async () => {
    const { ca } = await credentials();
    expect(await explained({ tls: { ca } })).toMatch(/demands a client certificate: set tls.cert and tls.key/);
  });

  test("a client certificate of an authority that the server does not know", async () => {
    const { ca } = await credentials();
    const cert = await read(tcp.untrustedCertificateFile);
    const key = await read(tcp.untrustedKeyFile);
    expect(await explained({ tls: { ca, cert, key } })).toMatch(
      /does not trust the authority that issued tls.cert|refuses the client certificate/,
    );
  });

  test("another authority than the server's", async () => {
    const tls = { ...(await credentials()), ca: await read(tcp.untrustedAuthorityFile) };
    expect(await explained({ tls })).toMatch(/set tls.ca to that authority's certificate/);
  });

  test("the wrong server name", async () => {
    const tls = { ...(await credentials()), serverName: "another.example" };
    expect(await explained({ tls })).toMatch(/certificate is for another name: set tls.serverName/);
  });

  test("plain text on a port that wants TLS", async () => {
    const failure = await failureOf(
      CriClient.connect({ endpoint: `http://${tcp.address}`, allowInsecureTcp: true, connectTimeoutMs: 3_000 }),
    );
    expect(failure).toBeInstanceOf(EndpointError);
  });
});
