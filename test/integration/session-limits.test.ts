/** Sessions that last too long, lose their peer, or lead to an address without a listener. */
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SessionOptions } from "../../src/index.js";
import type { Program } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const endless: Program = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Starts a container in which `kill` scripts find one process, and every other command runs until it is aborted. */
async function serve() {
  const isKill = (command: readonly string[]) => command[0] === "sh" && command[2]?.includes("kill -9");
  const { runtime, cri } = await startFake({
    exec: (_, command) => (isKill(command) ? { exitCode: 0, stdout: "1\n" } : endless),
  });
  const container = await (await cri.pods.run({ name: "p" })).runContainer({ name: "c", image: "busybox:1" });
  const kills = () => runtime.callsOf("ExecSync").filter(({ request }) => isKill(request.cmd));
  return { runtime, cri, container, kills };
}

/** Starts a TCP proxy in front of the streaming server. After `cut()` it drops all bytes, and closes no connection. */
async function startProxy(host: string, port: number) {
  let isCut = false;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("data", (bytes) => isCut || to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host, ipv6Only: host === "::" }, resolve));
  onTestFinished(() => void server.close());
  const cut = () => {
    isCut = true;
  };
  return { port: (server.address() as AddressInfo).port, cut };
}

test.each(["spdy", "websocket"] as const)(
  "a session over %s ends when the network drops its packets",
  async (transport) => {
    const { runtime, cri, container } = await serve();
    const { url } = await cri.raw.runtime.exec({ containerId: container.id, cmd: ["x"], stdout: true });
    const { port } = new URL(url);
    const { port: proxyPort, cut } = await startProxy("127.0.0.1", Number(port));
    runtime.respondNext("Exec", ({ url = "" }) => ({ url: url.replace(`:${port}`, `:${proxyPort}`) }));
    const session = await container.exec(["x"], { transport, pingIntervalMs: 1_000 });
    // The session is idle, but alive.
    expect(await Promise.race([session.exit, sleep(3_000, "alive")])).toBe("alive");
    cut();
    expect(await rejection(session.exit)).toMatchObject({
      code: "UNAVAILABLE",
      details: expect.stringContaining("1000 ms"),
    });
  },
);

test.each([-1, Number.NaN, "5" as unknown as number])("rejects pingIntervalMs: %s", async (pingIntervalMs) => {
  const { runtime, container } = await serve();
  expect(await rejection(container.exec(["x"], { pingIntervalMs }))).toMatchObject({
    code: "INVALID_INPUT",
    field: "pingIntervalMs",
  });
  expect(runtime.callsOf("Exec")).toEqual([]);
});

describe("time limits", () => {
  test.each<[string, SessionOptions]>([
    ["timeoutMs", { timeoutMs: 2_000 }],
    [
      "deadline",
      {
        get deadline() {
          return new Date(Date.now() + 2_000);
        },
      },
    ],
  ])("%s limits the life of a session", async (_, options) => {
    const { container, kills } = await serve();
    for (const session of [await container.exec(["x"], options), await container.attach({ ...options })]) {
      const end = "exit" in session ? session.exit : session.ended;
      expect(await rejection(end)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    }
    expect(await rejection(container.execOutput(["x"], options))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(kills()).toEqual([]);
  });

  test("timeoutMs kills the command with killOnAbort", async () => {
    const { cri, container, kills } = await serve();
    const running = container.execOutput(["x"], { timeoutMs: 2_000, killOnAbort: true });
    expect(await rejection(running)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await cri.close();
    expect(kills()).toHaveLength(1);
  });

  test("commandTimeoutSeconds kills the command, and fails with the code of execSync", async () => {
    const { cri, container, kills } = await serve();
    const options = { commandTimeoutSeconds: 0.3 };
    expect(await rejection(container.execOutput(["x"], options))).toMatchObject({ code: "COMMAND_TIMED_OUT" });
    expect(await rejection(container.execSync(["x"], options))).toMatchObject({ code: "COMMAND_TIMED_OUT" });
    const session = await container.exec(["x"], options);
    expect(await rejection(session.exit)).toMatchObject({ code: "COMMAND_TIMED_OUT" });
    await cri.close();
    expect(kills()).toHaveLength(2);
  });

  test("a signal does not kill a command with its own time limit", async () => {
    const { cri, container, kills } = await serve();
    const abort = new AbortController();
    const session = await container.exec(["x"], { signal: abort.signal, commandTimeoutSeconds: 60 });
    abort.abort(new Error("enough"));
    expect(await rejection(session.exit)).toMatchObject({ message: "enough" });
    await cri.close();
    expect(kills()).toEqual([]);
  });

  test.each([-1, Number.NaN, "5" as unknown as number])("rejects commandTimeoutSeconds: %s", async (seconds) => {
    const { runtime, container } = await serve();
    const failure = { code: "INVALID_INPUT", field: "commandTimeoutSeconds" };
    expect(await rejection(container.exec(["x"], { commandTimeoutSeconds: seconds }))).toMatchObject(failure);
    expect(runtime.callsOf("Exec")).toEqual([]);
  });
});

test.each(["[::]", ""])(
  "a streaming server that names the host %j is found on either loopback address",
  async (host) => {
    const { runtime, cri } = await startFake({ exec: () => ({ exitCode: 0, stdout: "found" }) });
    const container = await (await cri.pods.run({ name: "p" })).runContainer({ name: "c", image: "busybox:1" });
    const { url } = await cri.raw.runtime.exec({ containerId: container.id, cmd: ["x"], stdout: true });
    const { port } = new URL(url);
    const onIPv6Only = await startProxy("::", Number(port));
    for (const [transport, at] of [
      ["spdy", onIPv6Only.port],
      ["websocket", onIPv6Only.port],
      ["spdy", Number(port)],
      ["websocket", Number(port)],
    ] as const) {
      runtime.respondNext("Exec", ({ url = "" }) => ({ url: `http://${host}:${at}${new URL(url).pathname}` }));
      expect(await container.execOutput(["x"], { transport })).toMatchObject({ stdout: "found" });
    }
  },
);
