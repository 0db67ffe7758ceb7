/**
 * A malicious runtime whose URLs and redirects lead to another server. The client sends nothing to that server, and no error
 * contains the token.
 */
import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ConnectOptions, Container, CriError, PodSandbox, SessionOptions } from "../../src/index.js";
import type { FakeRuntimeOptions } from "../../src/testing/index.js";
import { createCertificateAuthority } from "../support/certificates.js";
import { recordFigures } from "../support/figures.js";
import { maxStallMs, ResourceWatch } from "../support/resource-watch.js";
import { rejection, startFake } from "./support.js";

const token = "s3cr3t-T0ken";

/** Every method that opens a session. */
const openers: Record<
  string,
  (on: { pod: PodSandbox; container: Container }, options: SessionOptions) => Promise<unknown>
> = {
  exec: ({ container }, options) => container.exec(["true"], options),
  execOutput: ({ container }, options) => container.execOutput(["true"], options),
  attach: ({ container }, options) => container.attach(options),
  copyTo: ({ container }, options) => container.copyTo(dirname(fileURLToPath(import.meta.url)), "/tmp", options),
  copyFrom: ({ container }, options) => container.copyFrom("/etc", join(tmpdir(), "never-made"), options),
  writeFile: ({ container }, options) => container.writeFile("/tmp/never-made", "content", options),
  readFile: ({ container }, options) => container.readFile("/etc/hosts", options),
  putArchive: ({ container }, options) => container.putArchive("/etc", Buffer.alloc(1_024), options),
  getArchive: ({ container }, options) => container.getArchive("/etc", options),
  portForward: ({ pod }, options) => pod.portForward(80, options).connect(),
};

/** A runtime with a pod and a container, whose sessions lead to the given URL. */
async function startWithUrl(
  url: string,
  fakeOptions: FakeRuntimeOptions = {},
  connectOptions: Omit<ConnectOptions, "endpoint"> = {},
) {
  // Copying first checks the destination.
  const exec = () => ({ exitCode: 0, stdout: "/etc\n/etc/.\n" });
  const { runtime, cri } = await startFake({ exec, ...fakeOptions }, connectOptions);
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  for (const rpc of ["Exec", "Attach", "PortForward"] as const) {
    runtime.respondNext(rpc, { url }, { times: Number.POSITIVE_INFINITY });
  }
  return { runtime, pod, container };
}

/** Options with which a fake and its client use TLS. */
async function tlsOptions(): Promise<[FakeRuntimeOptions, Omit<ConnectOptions, "endpoint">]> {
  const authority = await createCertificateAuthority();
  const tls = await authority.issue({ names: ["127.0.0.1"] });
  return [{ endpoint: "https://127.0.0.1:0", tls }, { tls: { ca: authority.cert } }];
}

/** Records every TCP connection that this process attempts, as `address:port`, and every name that it resolves. */
function watchNetwork(): () => string[] {
  const seen: { address?: string; port?: number; hostname?: string }[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === "TCPCONNECTWRAP" || type === "GETADDRINFOREQWRAP") seen.push(resource);
    },
  }).enable();
  onTestFinished(() => void hook.disable());
  // Their targets are set after their creation.
  return () => seen.map(({ address, port, hostname }) => hostname ?? `${address}:${port}`);
}

/** Returns the error of a rejected session, which must not contain the token. */
async function refusal(session: Promise<unknown>): Promise<CriError> {
  using watch = new ResourceWatch();
  const error = (await rejection(session)) as CriError;
  recordFigures(error.code, watch);
  expect(watch.stallMs).toBeLessThan(maxStallMs);
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
  expect(String(error.stack)).not.toContain(token);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token);
  return error;
}

/** Counts connections, and closes them. */
async function listener(onConnection = (socket: Socket) => void socket.destroy()) {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
}

describe("the runtime returns a URL that leads to another server", () => {
  test.each([
    [
      "another host, by address",
      `http://192.0.2.1:80/exec/${token}`,
      /leads to 192\.0\.2\.1, which is not an address of this machine/,
    ],
    ["another host, by name", `http://elsewhere.test/exec/${token}`, /leads to elsewhere\.test/],
    ["another host, over TLS", `https://[2001:db8::1]/exec/${token}`, /leads to 2001:db8::1/],
    ["another host, without a scheme", `//elsewhere.test/exec/${token}`, /leads to elsewhere\.test/],
    ["another host after a user name", `http://127.0.0.1:80@elsewhere.test/exec/${token}`, /user name/],
    ["this host after a user name", `http://root:${token}@127.0.0.1/exec/${token}`, /user name/],
    ["two hosts at once", `http://127.0.0.1\\@elsewhere.test/exec/${token}`, /characters that a URL must not/],
    ["a header", `http://127.0.0.1/exec/${token} HTTP/1.1\r\nHost: elsewhere.test`, /characters that a URL must not/],
    ["a file", `file:///etc/${token}`, /has the scheme file/],
    ["a socket", `unix:///run/${token}.sock`, /has the scheme unix/],
    ["a socket with the scheme http+unix", `http+unix://%2Frun%2F${token}.sock/exec`, /has the scheme http\+unix/],
    ["another protocol", `gopher://127.0.0.1/${token}`, /has the scheme gopher/],
    ["a program", `javascript:${token}`, /has the scheme javascript/],
    ["no URL", token, /not a URL/],
  ])("%s", async (_name, url, message) => {
    const on = await startWithUrl(url);
    const network = watchNetwork();
    for (const [opener, open] of Object.entries(openers)) {
      const error = await refusal(open(on, {}));
      expect(error, opener).toMatchObject({ code: "INVALID_RESPONSE", field: "url", mayHaveTakenEffect: false });
      expect(error.details).toMatch(message);
    }
    expect(network()).toEqual([]);
  });

  test("a local listener forwards nothing, and reports why", async () => {
    const { pod } = await startWithUrl(`http://elsewhere.test/portforward/${token}`);
    await using listening = await pod.portForward(80).listen();
    const failed = once(listening, "connectionError");
    const network = watchNetwork();
    const local = connect(listening.address.port, "127.0.0.1").on("error", () => {});
    const [error] = (await failed) as [CriError];
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
    expect(error.code).toBe("INVALID_RESPONSE");
    await once(local.resume(), "close");
    expect(network()).toEqual([`127.0.0.1:${listening.address.port}`]);
  });
});

describe("the runtime is reached over TLS", () => {
  test("a session over plain TCP is rejected, and nothing is sent", async () => {
    const server = await listener();
    const on = await startWithUrl(`http://127.0.0.1:${server.port}/exec/${token}`, ...(await tlsOptions()));
    const network = watchNetwork();
    for (const [opener, open] of Object.entries(openers)) {
      const error = await refusal(open(on, {}));
      expect(error, opener).toMatchObject({ code: "INVALID_RESPONSE", field: "url", mayHaveTakenEffect: false });
      expect(error.details).toMatch(/is http:, but calls to the runtime use TLS.*set allowInsecureTcp/);
    }
    expect(network()).toEqual([]);
    expect(server.connections()).toBe(0);
  });

  test.each<[string, (url: string) => Omit<ConnectOptions, "endpoint">]>([
    ["allowInsecureTcp", () => ({ allowInsecureTcp: true })],
    ["streamUrl", (url) => ({ streamUrl: () => new URL(url) })],
  ])("a session over plain TCP is permitted by %s", async (_name, permission) => {
    const server = await listener();
    const url = `http://127.0.0.1:${server.port}/exec/${token}`;
    const [fakeOptions, connectOptions] = await tlsOptions();
    const { container } = await startWithUrl(url, fakeOptions, { ...connectOptions, ...permission(url) });
    expect(await refusal(container.exec(["true"]))).toMatchObject({ code: "UNAVAILABLE" });
    expect(server.connections()).toBe(1);
  });

  test.each(["spdy", "websocket"] as const)("sessions of a fake use TLS, too: %s", async (transport) => {
    const [fakeOptions, connectOptions] = await tlsOptions();
    const { cri } = await startFake(
      { ...fakeOptions, exec: () => ({ exitCode: 0, stdout: "private" }) },
      connectOptions,
    );
    const container = await (await cri.pods.run({ name: "p" })).runContainer({ name: "c", image: "busybox:1" });
    expect(await container.execOutput(["true"], { transport })).toMatchObject({ stdout: "private" });
  });
});

describe.each(["spdy", "websocket", undefined] as const)("the streaming server redirects, over %s", (transport) => {
  test.each([301, 302, 303, 307, 308])("with %i", async (status) => {
    const otherServer = await listener();
    for (const location of [
      `http://127.0.0.1:${otherServer.port}/exec/${token}`,
      "https://elsewhere.test/",
      "file:///etc/passwd",
      "unix:///run/x",
    ]) {
      const answer = `HTTP/1.1 ${status} Go\r\nLocation: ${location}\r\nContent-Length: 5\r\n\r\nthere`;
      const server = await listener((socket) => void socket.once("data", () => socket.end(answer)));
      const on = await startWithUrl(`http://127.0.0.1:${server.port}/exec/${token}`);
      const network = watchNetwork();
      for (const opener of ["exec", "attach", "portForward"]) {
        const error = await refusal(openers[opener]!(on, { transport }));
        expect(error, opener).toMatchObject({ code: "UNIMPLEMENTED", mayHaveTakenEffect: false });
        expect(error.details).toMatch(/answered with a redirect/);
      }
      expect(new Set(network())).toEqual(new Set([`127.0.0.1:${server.port}`]));
      expect(server.connections()).toBe(network().length);
    }
    expect(otherServer.connections()).toBe(0);
  });
});
