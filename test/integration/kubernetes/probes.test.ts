import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import type { ProbeManifest } from "../../../src/kubernetes/manifest/container.js";
import { runHook } from "../../../src/kubernetes/running/hooks.js";
import { runProbe } from "../../../src/kubernetes/running/probes/run-probe.js";
import { createCertificateAuthority } from "../../support/certificates.js";
import { manualClock, probed, targetOf } from "../../unit/kubernetes/running/support.js";

const never = new AbortController().signal;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

/** Returns a port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const run = (probe: ProbeManifest, ports = {}) => runProbe(probe, targetOf(probed({ ports })), never);

async function http(answer: RequestListener): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  return { port: await listen(server), requests };
}

describe("an HTTP probe", () => {
  test.each([
    [200, "success"],
    [204, "success"],
    [399, "success"],
    [400, "failure"],
    [503, "failure"],
  ])("of an answer %i is a %s", async (code, outcome) => {
    const { port } = await http((_, response) => response.writeHead(code).end());
    const result = await run({ httpGet: { port } });
    expect(result.outcome).toBe(outcome);
    if (outcome === "failure") expect(result.message).toBe(`HTTP probe failed with statuscode: ${code}`);
  });

  test("sends the path, the headers and the user agent of a probe", async () => {
    const { port, requests } = await http((_, response) => response.end());
    const httpHeaders = [
      { name: "Host", value: "web.example" },
      { name: "X-Twice", value: "1" },
      { name: "X-Twice", value: "2" },
      { name: "Accept", value: "" },
    ];
    await run({ httpGet: { port: "web", path: "health?full=1", httpHeaders } }, { web: port });
    const [request] = requests;
    expect(request?.url).toBe("/health?full=1");
    expect(request?.headers).toMatchObject({ host: "web.example", "x-twice": "1, 2", connection: "close" });
    expect(request?.headers.accept).toBeUndefined();
    expect(request?.headers["user-agent"]).toMatch(/^kube-probe\//);
  });

  test("follows redirects on the same host", async () => {
    const { port } = await http(({ url }, response) =>
      url === "/" ? response.writeHead(302, { location: "/there" }).end() : response.writeHead(500).end(),
    );
    expect(await run({ httpGet: { port } })).toEqual({
      outcome: "failure",
      message: "HTTP probe failed with statuscode: 500",
    });
  });

  test("counts a redirect to another host as a success with a warning", async () => {
    const { port } = await http((_, response) => response.writeHead(302, { location: "http://other.invalid/" }).end());
    expect((await run({ httpGet: { port } })).outcome).toBe("warning");
  });

  test("gives up after 10 redirects", async () => {
    const { port, requests } = await http((_, response) => response.writeHead(302, { location: "/" }).end());
    const { outcome, message } = await run({ httpGet: { port } });
    expect([outcome, requests.length]).toEqual(["failure", 11]);
    expect(message).toContain("stopped after 10 redirects");
  });

  test("fails after its timeout", async () => {
    const { port } = await http(() => {});
    expect(await run({ httpGet: { port }, timeoutSeconds: 0.05 })).toEqual({
      outcome: "failure",
      message: "the probe timed out after 0.05s",
    });
  });

  test("over HTTPS accepts any certificate", async () => {
    const { cert, key } = await (await createCertificateAuthority()).issue({ names: ["other.example"] });
    const port = await listen(createSecureServer({ cert, key }, (_, response) => response.end("secure")));
    expect(await run({ httpGet: { port, scheme: "HTTPS" } })).toEqual({ outcome: "success", message: "secure" });
  });

  test("reads no more than 10 KiB of an endless body", async () => {
    const { port } = await http((_, response) => {
      const more = () => {
        while (response.write("x".repeat(1000)));
      };
      response.on("drain", more);
      more();
    });
    const { outcome, message } = await run({ httpGet: { port }, timeoutSeconds: 10 });
    expect([outcome, message.length]).toEqual(["success", 10_240]);
  });

  test("fails if nobody listens", async () => {
    const { outcome, message } = await run({ httpGet: { port: await closedPort() } });
    expect(outcome).toBe("failure");
    expect(message).toContain("ECONNREFUSED");
  });
});

describe("a TCP probe", () => {
  test("succeeds if the port accepts a connection, and closes it", async () => {
    const server = createTcpServer();
    const closed = once(server, "connection").then(([socket]) => once((socket as Socket).resume(), "close"));
    const port = await listen(server);
    expect(await run({ tcpSocket: { port } })).toEqual({ outcome: "success", message: "" });
    await closed;
  });

  test("fails if nobody listens", async () => {
    const { outcome, message } = await run({ tcpSocket: { port: await closedPort() } });
    expect(outcome).toBe("failure");
    expect(message).toMatch(/^dial tcp 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });
});

describe("a gRPC probe", () => {
  /** Starts a health server that answers with the given bytes, or with an error code. */
  async function health(answers: Record<string, number[] | number>): Promise<number> {
    const server = new GrpcServer();
    const identity = (value: Buffer) => value;
    server.addService(
      {
        Check: {
          path: "/grpc.health.v1.Health/Check",
          requestStream: false,
          responseStream: false,
          ...{ requestSerialize: identity, requestDeserialize: identity },
          ...{ responseSerialize: identity, responseDeserialize: identity },
        },
      },
      {
        Check: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
          const answer = answers[call.request.subarray(2).toString()];
          if (Array.isArray(answer)) callback(null, Buffer.from(answer));
          else if (answer !== undefined) callback({ code: answer, details: "no" });
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    open.push({ close: () => server.forceShutdown() });
    return port;
  }

  test.each<[string, number[] | number, string, string]>([
    ["SERVING", [0x08, 1], "success", ""],
    ["NOT_SERVING", [0x08, 2], "failure", 'service unhealthy (responded with "NOT_SERVING")'],
    ["an empty response", [], "failure", 'service unhealthy (responded with "UNKNOWN")'],
    [
      "UNIMPLEMENTED",
      status.UNIMPLEMENTED,
      "failure",
      "this server does not implement the grpc health protocol (grpc.health.v1.Health)",
    ],
    ["NOT_FOUND", status.NOT_FOUND, "failure", 'the server does not know the service "db"'],
  ])("of %s", async (_, answer, outcome, message) => {
    const port = await health({ db: answer });
    expect(await run({ grpc: { port, service: "db" } })).toEqual({ outcome, message });
  });

  test("fails after its timeout", async () => {
    const port = await health({});
    const { outcome, message } = await run({ grpc: { port }, timeoutSeconds: 0.2 });
    expect(outcome).toBe("failure");
    expect(message).toMatch(/timed out after 0\.2s|did not complete within 0\.2s/);
  });

  test("fails if nobody listens", async () => {
    expect((await run({ grpc: { port: await closedPort() } })).outcome).toBe("failure");
  });
});

describe("a hook", () => {
  const hook = (fields: Parameters<typeof runHook>[0], exec?: Parameters<typeof targetOf>[1], options = {}) =>
    runHook(fields, targetOf(probed({}), exec), { signal: never, ...options });

  test("runs its command without a time limit", async () => {
    const calls: unknown[] = [];
    await hook({ exec: { command: ["a", "b"] } }, async (...args) => {
      calls.push(args.slice(0, 2));
      return { exitCode: 0, output: "" };
    });
    expect(calls).toEqual([[["a", "b"], 0]]);
  });

  test("fails with the exit code and the output of its command", async () => {
    const failing = hook({ exec: { command: ["a"] } }, async () => ({ exitCode: 3, output: "no disk" }));
    await expect(failing).rejects.toMatchObject({ name: "HookFailure", message: "command exited with 3: no disk" });
  });

  test("over HTTP succeeds with any answer", async () => {
    const { port, requests } = await http((_, response) => response.writeHead(500).end());
    await hook({ httpGet: { port, path: "/stop" } });
    expect(requests[0]?.url).toBe("/stop");
  });

  test("over HTTP fails without an answer", async () => {
    await expect(hook({ httpGet: { port: await closedPort() } })).rejects.toMatchObject({ name: "HookFailure" });
  });

  test("sleeps", async () => {
    const clock = manualClock();
    await hook({ sleep: { seconds: 5 } }, undefined, { clock });
    expect(clock.slept).toEqual([5000]);
  });

  test("ends after its time limit", async () => {
    const { port } = await http(() => {});
    await expect(hook({ httpGet: { port } }, undefined, { timeoutMs: 50 })).rejects.toThrow(
      "did not finish within 0.05s",
    );
  });

  test("rejects with the signal's reason", async () => {
    const { port } = await http(() => {});
    const stop = new AbortController();
    const result = runHook({ httpGet: { port } }, targetOf(probed({})), { signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(result).rejects.toThrow("stopped");
  });
});
