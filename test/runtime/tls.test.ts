/** A runtime over TCP with mutual TLS. */
import { readFile } from "node:fs/promises";
import { CriClient, EndpointError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { failureOf } from "./helpers/expectations.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("tls", (fixture, lab) => {
  const { tcp } = lab;
  if (!tcp) {
    test("the error for a refused connection says that nothing listens", async () => {
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
  const connectError = async (options: Parameters<typeof CriClient.connect>[0]) => {
    const failure = await failureOf(CriClient.connect({ endpoint, ...options }));
    expect(failure).toBeInstanceOf(EndpointError);
    const message = String(failure);
    expect(message).not.toContain("PRIVATE KEY");
    return message;
  };

  if (!tcp.servesCri) {
    test("the error for an endpoint without CRI names the setting to change", async () => {
      const failure = await failureOf(CriClient.connect({ endpoint, tls: await credentials() }));
      expect(failure).toBeInstanceOf(EndpointError);
      expect(failure).toMatchObject({ code: "UNIMPLEMENTED" });
      expect(String(failure)).toContain("disable_tcp_service");
    });
  } else {
    test("runs and removes a pod with a client certificate", async () => {
      await using client = await CriClient.connect({ endpoint, tls: await credentials() });
      expect(client.endpoint).toBe(endpoint);
      await using pod = await client.pods.run(fixture.podSpec());
      await using container = await client.runContainerInSandbox(pod, fixture.containerSpec());
      expect(await outputOf(container, "echo over TLS")).toBe("over TLS");
      await container.stop({ gracePeriodSeconds: 0 });
      expect((await container.wait()).exitCode).toBe(137);
      expect((await client.pods.list({ id: pod.id })).map(({ id }) => id)).toEqual([pod.id]);
    });

    test("verifies the server by a name in its certificate, also given as serverName", async () => {
      const tls = { ...(await credentials()), serverName: "localhost" };
      await using client = await CriClient.connect({ endpoint, tls });
      expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
      await using named = await CriClient.connect({ endpoint: `https://localhost:${port}`, tls: await credentials() });
      expect((await named.version()).runtimeVersion).toContain(fixture.runtime.version);
    });

    test("accepts certificates as strings", async () => {
      const { ca, cert, key } = await credentials();
      const tls = { ca: ca.toString(), cert: cert.toString(), key: key.toString() };
      await using client = await CriClient.connect({ endpoint, tls });
      expect((await client.version()).runtimeVersion).toContain(fixture.runtime.version);
    });
  }

  test("the error without a client certificate names the options to set", async () => {
    const { ca } = await credentials();
    expect(await connectError({ tls: { ca } })).toMatch(/demands a client certificate: set tls.cert and tls.key/);
  });

  test("the error for an untrusted client certificate says that the server rejects it", async () => {
    const { ca } = await credentials();
    const cert = await read(tcp.untrustedCertificateFile);
    const key = await read(tcp.untrustedKeyFile);
    expect(await connectError({ tls: { ca, cert, key } })).toMatch(
      /does not trust the authority that issued tls.cert|refuses the client certificate/,
    );
  });

  test("the error for an untrusted server certificate names tls.ca", async () => {
    const tls = { ...(await credentials()), ca: await read(tcp.untrustedAuthorityFile) };
    expect(await connectError({ tls })).toMatch(/set tls.ca to the authority's certificate/);
  });

  test("the error for a wrong server name names tls.serverName", async () => {
    const tls = { ...(await credentials()), serverName: "another.example" };
    expect(await connectError({ tls })).toMatch(/certificate is for another name: set tls.serverName/);
  });

  test("rejects with EndpointError without TLS on a TLS port", async () => {
    const failure = await failureOf(
      CriClient.connect({ endpoint: `http://${tcp.address}`, allowInsecureTcp: true, connectTimeoutMs: 3_000 }),
    );
    expect(failure).toBeInstanceOf(EndpointError);
  });
});
