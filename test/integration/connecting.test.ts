import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createServer as createTlsServer } from "node:tls";
import { type Channel, ServerCredentials } from "@grpc/grpc-js";
import { type ClientError, createClient, createServer, Status } from "nice-grpc";
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { EndpointError } from "../../src/errors.js";
import type { TlsOptions } from "../../src/options.js";
import { RuntimeServiceDefinition } from "../../src/proto.js";
import { createRuntimeChannel, type RuntimeChannelOptions } from "../../src/transport/channel.js";
import { discoverEndpoint, discoverEndpoints } from "../../src/transport/discovery.js";
import { parseEndpoint } from "../../src/transport/endpoint.js";
import { probeSocket } from "../../src/transport/socket-probe.js";
import { explainTlsFailure } from "../../src/transport/tls.js";
import { type CertificateAuthority, type CertifiedKey, createCertificateAuthority } from "../support/certificates.js";
import { localAddress, skipOnWindows, skipWhere } from "../support/platform.js";
import { startVersionServer, type VersionServer } from "../support/version-server.js";

const noSockets = skipOnWindows("sockets in the file system");

let directory: string;
const channels: Channel[] = [];
const servers: VersionServer[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "conn-"));
});
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  for (const server of servers.splice(0)) server.stop();
  await rm(directory, { recursive: true });
});

async function serve(...args: Parameters<typeof startVersionServer>): Promise<VersionServer> {
  const server = await startVersionServer(...args);
  servers.push(server);
  return server;
}

/** Creates a stub of the runtime service on the channel under test, without the rest of the client. */
function dial(endpoint: string, options: RuntimeChannelOptions = {}) {
  const parsed = parseEndpoint(endpoint, { allowInsecureTcp: true, tls: options.tls });
  const channel = createRuntimeChannel(parsed, options);
  channels.push(channel);
  return createClient(RuntimeServiceDefinition, channel);
}

function failureOf(call: Promise<unknown>): Promise<ClientError> {
  return call.then(
    () => Promise.reject(new Error("the call succeeded")),
    (error: ClientError) => error,
  );
}

/** Counts the connections of a server that never replies. */
function connectionsOf(server: Server, event = "connection"): { readonly open: number; readonly total: number } {
  const open = new Set<Socket>();
  let total = 0;
  server.on("connection", (socket: Socket) => {
    open.add(socket.on("close", () => open.delete(socket)).on("error", () => {}));
  });
  server.on(event, (socket: Socket) => {
    total++;
    socket.on("error", () => {}).resume();
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    get open() {
      return open.size;
    },
    get total() {
      return total;
    },
  };
}

/** Shorter than the 5 s after which grpc-js itself aborts a handshake without a reply. */
const pollOptions = { timeout: 4_500, interval: 20 };

describe.skipIf(noSockets)("a socket can be given as", () => {
  it.each([
    ["bare path", "x.sock", (path: string) => path],
    ["unix:/path", "x.sock", (path: string) => `unix:${path}`],
    ["unix:///path", "x.sock", (path: string) => `unix://${path}`],
    ["UNIX:///path", "x.sock", (path: string) => `UNIX://${path}`],
    ["doubled slashes", "x.sock", (path: string) => `/${path.replaceAll("/", "//")}`],
    ["a space in a bare path", "a b.sock", (path: string) => path],
    ["an escaped space", "a b.sock", (path: string) => `unix://${path.replace(" ", "%20")}`],
    ["a percent sign in a bare path", "a%20b.sock", (path: string) => path],
    ["an escaped percent sign", "a%20b.sock", (path: string) => `unix://${path.replace("%", "%25")}`],
    ["a path that looks like it has a port", "x.sock:80", (path: string) => `unix://${path}`],
    ["a path that looks like it has a query", "a?b#c", (path: string) => path],
    ["colons", "a:b:c", (path: string) => path],
    ["letters beyond ASCII", "ü.sock", (path: string) => path],
  ])("%s", async (_name, file, toEndpoint) => {
    const path = join(directory, file);
    const server = await serve(`unix://${path}`);
    await expect(dial(toEndpoint(path)).version({})).resolves.toMatchObject({ runtimeName: "test" });
    await expect(dial(parseEndpoint(path).display).version({})).resolves.toBeDefined();
    expect(server.authorities, "what a server in Go accepts").toEqual(["localhost", "localhost"]);
    await expect(probeSocket(parseEndpoint(path) as Parameters<typeof probeSocket>[0])).resolves.toMatchObject({
      reachable: true,
    });
  });

  it("the longest path that sun_path allows", async () => {
    const path = join(directory, "x".repeat((process.platform === "linux" ? 107 : 103) - directory.length - 1));
    await serve(`unix://${path}`);
    await expect(dial(path).version({})).resolves.toBeDefined();
  });
});

describe("over TCP", () => {
  it.each(["localhost", "127.0.0.1", "[::1]"])("connects to %s", async (host) => {
    const server = await serve(`${host}:0`);
    await expect(dial(`tcp://${host}:${server.port}`).version({})).resolves.toBeDefined();
    expect(server.authorities).toEqual([`${host}:${server.port}`]);
  });

  it("ignores a proxy in the environment", async () => {
    const server = await serve("127.0.0.1:0");
    process.env.http_proxy = "http://127.0.0.1:1";
    try {
      await expect(dial(`http://127.0.0.1:${server.port}`).version({})).resolves.toBeDefined();
    } finally {
      delete process.env.http_proxy;
    }
  });
});

it.skipIf(noSockets)("connects to a discovered endpoint", async () => {
  await mkdir(join(directory, "run/crio"), { recursive: true });
  await serve(`unix://${directory}/run/crio/crio.sock`);
  const endpoint = await discoverEndpoint({ env: {}, platform: "linux", root: directory });
  await expect(dial(endpoint).version({})).resolves.toMatchObject({ runtimeName: "test" });
});

describe.skipIf(noSockets)("discovery of well-known sockets", () => {
  const discover = (probeTimeoutMs = 3_000) =>
    discoverEndpoints({ env: {}, platform: "linux", root: directory, probeTimeoutMs });
  const display = (path: string) => `unix://${directory}${path}`;
  /** Listens like a frozen runtime, which accepts connections but never replies. */
  async function listenFrozen(path: string) {
    const server = createTcpServer();
    const connections = connectionsOf(server);
    await new Promise<void>((resolve) => server.listen(join(directory, path), resolve));
    return connections;
  }
  beforeEach(() =>
    Promise.all(
      ["run/containerd", "run/crio", "var/run"].map((path) => mkdir(join(directory, path), { recursive: true })),
    ),
  );

  it("skips a socket that does not serve CRI, and lists it in the attempts", async () => {
    const docker = createServer();
    servers.push({ port: 0, authorities: [], stop: () => docker.forceShutdown() });
    await docker.listen(display("/run/containerd/containerd.sock"));
    const failure = await discover().catch((error: EndpointError) => error);
    expect(failure).toMatchObject({ code: "NO_ENDPOINT" });
    expect((failure as EndpointError).message).toMatch(/containerd\.sock: does not serve CRI v1/);

    await serve(display("/run/crio/crio.sock"));
    await serve(display("/var/run/cri-dockerd.sock"));
    const { endpoint, tried } = await discover();
    expect(endpoint.display).toBe(display("/run/crio/crio.sock"));
    expect(tried.slice(3, 5).map(({ outcome }) => outcome)).toEqual(["used", "not waited for"]);
  });

  it("uses a socket that accepts connections but never replies, because the next one is another runtime", async () => {
    const frozen = await listenFrozen("run/containerd/containerd.sock");
    await serve(display("/run/crio/crio.sock"));
    const { endpoint, tried } = await discover(300);
    expect(endpoint.display).toBe(display("/run/containerd/containerd.sock"));
    expect(tried[2]?.outcome).toBe("used: accepts connections, but does not answer Version: DEADLINE_EXCEEDED");
    await expect.poll(() => frozen.open, pollOptions).toBe(0);
  });

  it("does not wait for a frozen socket after a working one, and closes its connection", async () => {
    await serve(display("/run/containerd/containerd.sock"));
    const frozen = await listenFrozen("run/crio/crio.sock");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    expect((await discover(3_600_000)).endpoint.display).toBe(display("/run/containerd/containerd.sock"));
    await expect.poll(() => frozen.open, pollOptions).toBe(0);
    // The longest back-off of grpc-js, which an abort does not end.
    vi.advanceTimersByTime(3_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

// parseEndpoint() refuses abstract sockets on Node.js 20; its unit tests check that.
if (Number.parseInt(process.versions.node, 10) >= 22) {
  const noAbstractSockets = skipWhere(process.platform !== "linux", "abstract sockets, which only Linux has");
  it.skipIf(noAbstractSockets)("connects to an abstract socket", async () => {
    const name = `abstract-${process.pid}-${Date.now()}`;
    const path = join(directory, "x.sock");
    await serve(`unix://${path}`);
    const relay = createTcpServer((socket) => void pipeline(socket, connect(path), socket).catch(() => {}));
    await new Promise<void>((resolve) => relay.listen(`\0${name}`, resolve));
    await expect(dial(`unix:@${name}`).version({})).resolves.toMatchObject({ runtimeName: "test" });
    const absent = await failureOf(dial(`unix-abstract:${name}-absent`).version({}));
    expect(absent.details).toMatch(/ECONNREFUSED/);
    relay.close();
  });
}

describe("a channel that is closed before the HTTP/2 handshake leaves no connection", () => {
  it("over a socket or pipe", async () => {
    const { endpoint, path } = localAddress(directory);
    const server = createTcpServer();
    const connections = connectionsOf(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await closeOnce(connections, endpoint);
  });

  it.each(["before", "after"])("%s the TLS handshake", async (when) => {
    const authority = await createCertificateAuthority();
    const server =
      when === "before"
        ? createTcpServer()
        : createTlsServer({ ...(await authority.issue({ names: ["localhost"] })), ALPNProtocols: ["h2"] });
    const connections = connectionsOf(server, when === "before" ? "connection" : "secureConnection");
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await closeOnce(connections, `https://localhost:${port}`, { tls: { ca: authority.cert } });
  });

  async function closeOnce(connections: ReturnType<typeof connectionsOf>, ...target: Parameters<typeof dial>) {
    const call = failureOf(dial(...target).version({}));
    await expect.poll(() => connections.total, { timeout: 20_000, interval: 5 }).toBe(1);
    channels.pop()?.close();
    await expect.poll(() => connections.open, pollOptions).toBe(0);
    expect(await call).toMatchObject({ code: Status.UNAVAILABLE });
    expect(connections.total).toBe(1);
  }
});

describe("while the runtime is down", () => {
  it("the same channel reconnects within half a second after the runtime is back", async () => {
    const { endpoint, target } = localAddress(directory);
    const first = await serve(target);
    const client = dial(endpoint);
    await client.version({});
    first.stop();
    const failure = await failureOf(client.version({}));
    expect(failure.code).toBe(Status.UNAVAILABLE);
    // By now, the back-off over TCP, or with the defaults of grpc-js, would be longer than one second.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await serve(target);

    const started = performance.now();
    for (;;) {
      const answer = await client.version({}).catch((error: ClientError) => error.code);
      if (typeof answer === "object") break;
      expect(answer).toBe(Status.UNAVAILABLE);
      expect(performance.now() - started).toBeLessThan(1_500);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it("a second client does not wait for the back-off of the first", async () => {
    const { endpoint, target } = localAddress(directory);
    const slowReconnect = {
      channelOptions: { "grpc.initial_reconnect_backoff_ms": 5_000, "grpc.max_reconnect_backoff_ms": 5_000 },
    };
    await failureOf(dial(endpoint, slowReconnect).version({}));
    await serve(target);
    const started = performance.now();
    await dial(endpoint, slowReconnect).version({});
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("a call rejects at once if the socket does not exist", async () => {
    const started = performance.now();
    const error = await failureOf(dial(localAddress(directory, "absent").endpoint).version({}));
    expect(error.details).toMatch(/connect ENOENT \S+absent/);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("a call rejects if the runtime accepts connections but never replies", async () => {
    const { endpoint, path } = localAddress(directory);
    const frozen = createTcpServer(() => {});
    await new Promise<void>((resolve) => frozen.listen(path, resolve));
    const client = dial(endpoint, { channelOptions: { "grpc.min_reconnect_backoff_ms": 300 } });
    const error = await failureOf(client.version({}));
    expect(error.code).toBe(Status.UNAVAILABLE);
    expect(error.details).toMatch(/timed out after 300ms/);
    frozen.close();
  });
});

describe("reply size", () => {
  it("can exceed the 4 MiB default of grpc-js", async () => {
    const { endpoint, target } = localAddress(directory);
    await serve(target, { replyBytes: 20 * 1024 * 1024 });
    const { runtimeName } = await dial(endpoint).version({});
    expect(runtimeName.length).toBe(4 + 20 * 1024 * 1024);
  });

  it("is limited to 80 MiB", async () => {
    const { endpoint, target } = localAddress(directory);
    await serve(target, { replyBytes: 80 * 1024 * 1024 });
    const error = await failureOf(dial(endpoint).version({}));
    expect(error.code).toBe(Status.RESOURCE_EXHAUSTED);
    expect(error.details).toMatch(/larger than max/);
  });

  it("obeys the limit in channelOptions", async () => {
    const { endpoint, target } = localAddress(directory);
    await serve(target, { replyBytes: 2_000 });
    const error = await failureOf(
      dial(endpoint, { channelOptions: { "grpc.max_receive_message_length": 1_000 } }).version({}),
    );
    expect(error.code).toBe(Status.RESOURCE_EXHAUSTED);
  });
});

it.skipIf(skipOnWindows("permissions of a socket"))(
  "the error for a socket without permission contains EACCES",
  async () => {
    const path = join(directory, "x.sock");
    await serve(`unix://${path}`);
    await chmod(path, 0o000);
    await chmod(directory, 0o755);
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) process.seteuid?.(65_534);
    try {
      const error = await failureOf(dial(path).version({}));
      expect(error.details).toMatch(/connect EACCES/);
    } finally {
      if (wasRoot) process.seteuid?.(0);
    }
  },
);

describe("TLS", () => {
  let authority: CertificateAuthority;
  let untrusted: CertificateAuthority;
  let good: CertifiedKey;
  beforeAll(async () => {
    authority = await createCertificateAuthority();
    untrusted = await createCertificateAuthority("Untrusted");
    good = await authority.issue({ names: ["localhost", "127.0.0.1", "::1"] });
  });

  function serveTls(certified: CertifiedKey, { mutual = false, host = "127.0.0.1" } = {}): Promise<VersionServer> {
    const pair = { private_key: Buffer.from(certified.key), cert_chain: Buffer.from(certified.cert) };
    const credentials = ServerCredentials.createSsl(Buffer.from(authority.cert), [pair], mutual);
    return serve(`${host}:0`, { credentials });
  }

  async function explanationFor(server: VersionServer, tls?: TlsOptions): Promise<string | undefined> {
    const error = await failureOf(dial(`https://localhost:${server.port}`, { tls }).version({}));
    expect(error.code).toBe(Status.UNAVAILABLE);
    return explainTlsFailure(error.details);
  }

  it.each(["localhost", "127.0.0.1"])("connects to %s with a given certificate authority", async (host) => {
    const server = await serveTls(good);
    await expect(
      dial(`https://${host}:${server.port}`, { tls: { ca: authority.cert } }).version({}),
    ).resolves.toBeDefined();
    const bytes = new TextEncoder().encode(untrusted.cert.trimEnd() + authority.cert);
    await expect(dial(`https://${host}:${server.port}`, { tls: { ca: bytes } }).version({})).resolves.toBeDefined();
    expect(server.authorities[0]).toBe(`${host}:${server.port}`);
  });

  it("connects to an IPv6 address without a server name that Node.js would reject or warn about", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on("warning", note);
    try {
      const server = await serveTls(good, { host: "[::1]" });
      await dial(`https://[::1]:${server.port}`, { tls: { ca: authority.cert } }).version({});
      const tls = { ca: authority.cert, serverName: "127.0.0.1" };
      await dial(`https://[::1]:${server.port}`, { tls }).version({});
    } finally {
      process.off("warning", note);
    }
    expect(warnings).toEqual([]);
  });

  it("rejects a certificate for another address", async () => {
    const server = await serveTls(await authority.issue({ names: ["localhost"] }));
    const error = await failureOf(
      dial(`https://127.0.0.1:${server.port}`, { tls: { ca: authority.cert } }).version({}),
    );
    expect(explainTlsFailure(error.details)).toMatch(/for another name/);
  });

  it("sends and verifies the name in serverName", async () => {
    const server = await serveTls(await authority.issue({ names: ["node7.test"] }));
    const tls = { ca: authority.cert, serverName: "node7.test" };
    await expect(dial(`https://localhost:${server.port}`, { tls }).version({})).resolves.toBeDefined();
    expect(server.authorities).toEqual(["node7.test"]);
  });

  it("sends a client certificate", async () => {
    const server = await serveTls(good, { mutual: true });
    const client = await authority.issue();
    const tls = { ca: authority.cert, cert: client.cert, key: Buffer.from(client.key) };
    await expect(dial(`https://localhost:${server.port}`, { tls }).version({})).resolves.toBeDefined();
  });

  it("explains an untrusted authority", async () => {
    const server = await serveTls(good);
    expect(await explanationFor(server)).toMatch(/not trusted: set tls\.ca/);
    expect(await explanationFor(server, { ca: untrusted.cert })).toMatch(/not trusted: set tls\.ca/);
  });

  it("verifies certificates even with NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const server = await serveTls(good);
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const failure = await failureOf(dial(`https://localhost:${server.port}`).version({}));
      expect(failure.code).toBe(Status.UNAVAILABLE);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    expect(server.authorities).toEqual([]);
  });

  it("explains a server name that does not match", async () => {
    const server = await serveTls(await authority.issue({ names: ["node7.test"] }));
    expect(await explanationFor(server, { ca: authority.cert })).toMatch(/for another name: set tls\.serverName/);
    const match = await serveTls(good);
    const wrongName = { ca: authority.cert, serverName: "node8.test" };
    expect(await explanationFor(match, wrongName)).toMatch(/for another name/);
  });

  it("explains expired certificates and those that are not valid yet", async () => {
    const second = 1_000;
    const expired = await authority.issue({ names: ["localhost"], notAfter: new Date(Date.now() - second) });
    expect(await explanationFor(await serveTls(expired), { ca: authority.cert })).toMatch(/has expired/);
    const future = await authority.issue({ names: ["localhost"], notBefore: new Date(Date.now() + 600 * second) });
    expect(await explanationFor(await serveTls(future), { ca: authority.cert })).toMatch(/not valid yet/);
  });

  it("explains that the server requires a client certificate", async () => {
    const server = await serveTls(good, { mutual: true });
    expect(await explanationFor(server, { ca: authority.cert })).toMatch(
      /demands a client certificate: set tls\.cert and tls\.key/,
    );
  });

  it("has no explanation if a Node.js server rejects the client certificate", async () => {
    const server = await serveTls(good, { mutual: true });
    const { cert, key } = await untrusted.issue();
    // Servers in Go and OpenSSL send an alert, which a unit test checks.
    expect(await explanationFor(server, { ca: authority.cert, cert, key })).toBeUndefined();
  });

  it("explains a port without TLS", async () => {
    expect(await explanationFor(await serve("127.0.0.1:0"), { ca: authority.cert })).toMatch(
      /does not speak TLS on this port/,
    );
  });
});
