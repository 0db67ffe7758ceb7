/**
 * Streaming sessions of the fake: scripted commands and ports, over both wire protocols.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Container, CriClient, SessionOptions } from "../../src/index.js";
import type { FakeFlavor, FakeRuntimeOptions, Program, TerminalSize } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** The commands of the containers below. */
const programs: Readonly<Record<string, Program>> = {
  sum: async ({ stdin, stdout }) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(chunk);
    stdout.write(sha256(Buffer.concat(chunks)));
    return 3;
  },
  both: ({ stdout, stderr }) => {
    stdout.write("out");
    stderr.write("err");
    return 0;
  },
  much: ({ stdout }) => {
    stdout.write(Buffer.alloc(2 << 20, "x"));
    return 0;
  },
  throws: () => {
    throw new Error("unexpected");
  },
  forever: ({ signal }) => once(signal, "abort").then(() => 0),
};

const serve = async (options: FakeRuntimeOptions = {}) => {
  const { runtime, cri } = await startFake({ exec: (_, [name = ""]) => programs[name], ...options });
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1", stdin: true });
  return { runtime, cri, pod, container };
};

const transports = ["spdy", "websocket"] as const;

describe.each(transports)("over %s", (transport) => {
  test.each<FakeFlavor>(["containerd-1.6", "containerd-2", "cri-o"])("%s runs commands", async (flavor) => {
    const { container } = await serve({ flavor });
    expect(await container.execOutput(["both"], { transport })).toEqual({ exitCode: 0, stdout: "out", stderr: "err" });
    expect(await container.execOutput(["throws"], { transport })).toMatchObject({ exitCode: 255 });
    const { exitCode, stdout } = await container.execOutput(["sh", "-c", "echo hi; exit 7"], { transport });
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "hi\n" });
    if (flavor !== "cri-o") {
      expect(await rejection(container.execOutput(["frob"], { transport }))).toMatchObject({
        code: "COMMAND_NOT_FOUND",
      });
    }
    const { stdout: all } = await container.execOutput(["much"], { transport });
    expect(all.length).toBe(2 << 20);
  });

  test("a script that returns a result works in sessions, too", async () => {
    const { container } = await serve({ exec: () => ({ exitCode: 4, stdout: "a", stderr: "b" }) });
    expect(await container.execOutput(["x"], { transport })).toEqual({ exitCode: 4, stdout: "a", stderr: "b" });
    expect(await container.execSync(["x"])).toEqual({ exitCode: 4, stdout: "a", stderr: "b" });
  });

  test("a terminal has sizes and a single output", async () => {
    const sizes: TerminalSize[] = [];
    const shell: Program = async (io) => {
      io.stderr.write("$ ");
      for await (const size of io.sizes) if (sizes.push(size) === 2) break;
      return io.tty ? 0 : 1;
    };
    const { container } = await serve({ exec: () => shell });
    await using session = await container.exec(["sh"], {
      transport,
      stdin: true,
      tty: true,
      terminalSize: { columns: 80, rows: 24 },
    });
    await expect.poll(() => sizes.length).toBe(1);
    session.resize({ columns: 100, rows: 50 });
    expect(await text(session.stdout as Duplex)).toBe("$ ");
    expect(await session.exit).toEqual({ exitCode: 0 });
    expect(sizes).toEqual([
      { columns: 80, rows: 24 },
      { columns: 100, rows: 50 },
    ]);
  });

  test("a client that disconnects aborts the program", async () => {
    let left = false;
    const program: Program = async ({ signal, stdin }) => {
      stdin.resume();
      await Promise.all([once(stdin, "end"), once(signal, "abort")]);
      left = true;
      return 0;
    };
    const { container } = await serve({ exec: () => program });
    const session = await container.exec(["x"], { transport, stdin: true });
    await session.close();
    await expect.poll(() => left).toBe(true);
  });

  test("a command ends with its container, and its session with the runtime", async () => {
    const { runtime, cri, container } = await serve();
    const session = await container.exec(["forever"], { transport });
    await container.stop({ gracePeriodSeconds: 0 });
    expect(await session.exit).toEqual({ exitCode: 137 });

    const pod = await cri.pods.run({ name: "q" });
    const other = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const broken = await other.exec(["forever"], { transport });
    await runtime.kill();
    expect(await rejection(broken.exit)).toMatchObject({ code: "UNAVAILABLE" });
    await runtime.restart();
    expect(await other.execOutput(["both"], { transport })).toMatchObject({ stdout: "out" });
  });

  test("attach reads and writes the main process", async () => {
    const upperCase: Program = async ({ stdin, stdout, stderr }) => {
      for await (const chunk of stdin) {
        if (String(chunk) === "bye") break;
        stdout.write(String(chunk).toUpperCase());
        stderr.write("!");
      }
      return 5;
    };
    const { container } = await serve({ run: () => ({ program: upperCase }) });
    await using session = await container.attach({ transport, stdin: true });
    await using second = await container.attach({ transport, stderr: false });
    session.stdin.write("hello");
    const [chunk] = await once(second.stdout as Duplex, "data");
    expect(String(chunk)).toBe("HELLO");
    session.stdin.write("bye");
    const [stdout, stderr] = await Promise.all([text(session.stdout as Duplex), text(session.stderr as Duplex)]);
    expect({ stdout, stderr }).toEqual({ stdout: "HELLO", stderr: "!" });
    await session.ended;
    expect(await container.wait()).toMatchObject({ exitCode: 5 });
  });

  test("forwards many connections to a port of the pod", async () => {
    const closed: string[] = [];
    const { pod } = await serve({
      portForward: ({ config }, port) => (port === 80 ? echo(`${config.metadata?.name}: `, closed) : undefined),
    });
    await using forward = pod.portForward([80, 81], { transport });
    const replies = Array.from({ length: 20 }, async (_, index) => {
      const connection = await forward.connect(80);
      const payload = Buffer.concat([randomBytes(100_000), Buffer.from(`end ${index}`)]);
      connection.write(payload);
      const chunks: Buffer[] = [];
      for await (const chunk of connection) {
        chunks.push(chunk);
        if (Buffer.concat(chunks).length === payload.length + 3) break;
      }
      return Buffer.concat(chunks).equals(Buffer.concat([Buffer.from("p: "), payload]));
    });
    expect(await Promise.all(replies)).toEqual(Array(20).fill(true));
    await expect.poll(() => closed.length).toBe(20);
    const refused = await forward.connect(81).then(
      (connection) => rejection(once(connection.resume(), "end")),
      (error: unknown) => error,
    );
    expect(String(refused)).toMatch(/error forwarding port 81 to pod .*connection refused/);
  });

  test("data that a port sends just before it closes arrives", async () => {
    const output = Buffer.alloc(1 << 20, "y");
    const { pod } = await serve({ portForward: () => Duplex.from([output]) });
    await using forward = pod.portForward(80, { transport });
    expect((await text(await forward.connect())).length).toBe(output.length);
  });

  test("leaves nothing open when the runtime stops", async () => {
    const before = handles();
    const { runtime, cri, pod, container } = await serve({ portForward: () => echo("", []) });
    await container.exec(["forever"], { transport, stdin: true });
    await container.attach({ transport });
    await pod.portForward(80, { transport }).connect();
    await runtime.stop();
    await cri.close();
    await expect.poll(handles).toBeLessThanOrEqual(before);
  });

  test("a protocol can be disabled", async () => {
    const { container } = await serve({ streaming: { [transport]: false } });
    await using session = await container.exec(["both"]);
    expect(session.transport).not.toBe(transport);
    const options: SessionOptions = { transport };
    expect(await rejection(container.exec(["both"], options))).toMatchObject({ code: "UNIMPLEMENTED" });
  });
});

test.each([
  { closed: "the client", from: (cri: CriClient) => cri },
  { closed: "a derived client", from: (cri: CriClient) => cri.with({}).with({}) },
])("closing $closed waits only for a command that is being killed", async ({ from }) => {
  // The kill script prints how many processes it found.
  const kill: Program = async ({ stdout }) => {
    await sleep(300);
    stdout.write("1\n");
    return 0;
  };
  const isKill = (command: readonly string[]) => command[0] === "sh" && command[2]?.includes("kill -9");
  const { runtime, ...served } = await serve({
    exec: (_, command) => (isKill(command) ? kill : programs.forever),
  });
  const cri = from(served.cri);
  const container = cri.containers.get(served.container.id);
  const abort = new AbortController();
  const session = await container.exec(["x"], { signal: abort.signal, killOnAbort: true });
  const waiting = rejection(container.execSync(["x"]));
  await runtime.nextCall("ExecSync");
  const reason = new Error("enough");
  abort.abort(reason);
  const closing = cri.close();
  expect(await rejection(session.exit)).toBe(reason);
  expect(await waiting).toMatchObject({ code: "CLIENT_CLOSED" });
  expect(await rejection(cri.version())).toMatchObject({ code: "CLIENT_CLOSED" });
  const killing = () => runtime.callsOf("ExecSync").filter(({ request }) => isKill(request.cmd));
  expect(killing().filter(({ outcome }) => outcome === "OK")).toEqual([]);
  await closing;
  expect(killing()).toMatchObject([{ outcome: "OK", cancelled: false }]);
});

test("a command over SPDY receives all of its input and the end of it", async () => {
  const { container } = await serve();
  const input = randomBytes(1 << 20);
  expect(await container.execOutput(["sum"], { input })).toMatchObject({ exitCode: 3, stdout: sha256(input) });
});

describe("a command that leaves input unread", () => {
  /** A command that reads ten bytes, and exits when this number of unread bytes waits in its pipe. */
  const readTenBytes =
    (waitingBytes: number): Program =>
    async ({ stdin, stdout }) => {
      await once(stdin, "readable");
      stdout.write(stdin.read(10));
      while (stdin.readableLength < waitingBytes) await sleep(5);
      return 3;
    };

  test.each<FakeFlavor>(["containerd-2", "cri-o", "cri-dockerd"])("of 60 kB has an exit code: %s", async (flavor) => {
    const { container } = await serve({ flavor, strict: false, exec: () => readTenBytes(59_990) });
    const output = await container.execOutput(["x"], { input: "0123456789".repeat(6_000) });
    expect(output).toMatchObject({ exitCode: 3, stdout: "0123456789" });
  });

  const input = "0123456789".repeat(30_000);

  test("of 300 kB has an exit code on Docker", async () => {
    const { container } = await serve({ flavor: "cri-dockerd", strict: false, exec: () => readTenBytes(65_537) });
    expect(await container.execOutput(["x"], { input })).toMatchObject({ exitCode: 3, stdout: "0123456789" });
  });

  test("of 300 kB fails on CRI-O with the reason", async () => {
    const { container } = await serve({ flavor: "cri-o", exec: () => readTenBytes(65_537) });
    const failure = await rejection(container.execOutput(["x"], { input }));
    expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(String(failure)).toMatch(/left input unread.*write \|1: broken pipe/);
  });

  test("of 300 kB ends without an exit code on containerd, which the client detects after a while", async () => {
    const { container } = await serve({ exec: () => readTenBytes(65_537) });
    await using session = await container.exec(["x"], { stdin: true });
    session.stdin.on("error", () => {}).end(input);
    expect(await text(session.stdout as Duplex)).toBe("0123456789");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    session.stderr.resume();
    let failure: unknown;
    void session.exit.catch((error: unknown) => (failure = error));
    while (failure === undefined) {
      await vi.advanceTimersByTimeAsync(20_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(String(failure)).toMatch(/much of its input unread/);
  });
});

test("a token is valid for one request", async () => {
  const { cri, container } = await serve();
  const url = await urlOf(cri, container);
  expect((await fetch(url)).status).toBe(400);
  const again = await fetch(url);
  expect([again.status, await again.text()]).toEqual([404, "404 page not found\n"]);
  const wrongKind = (await urlOf(cri, container)).replace("/exec/", "/attach/");
  expect((await fetch(wrongKind)).status).toBe(404);
});

test("a backend with only execSync works in sessions", async () => {
  const { ScriptedBackend } = await import("../../src/testing/index.js");
  const scripted = new ScriptedBackend({ exec: () => ({ stdout: "output" }) });
  const backend = {
    start: scripted.start.bind(scripted),
    execSync: scripted.execSync.bind(scripted),
  };
  const { container } = await serve({ backend });
  expect(await container.execOutput(["x"])).toMatchObject({ exitCode: 0, stdout: "output" });
});

async function urlOf(cri: Awaited<ReturnType<typeof serve>>["cri"], { id }: Container): Promise<string> {
  return cri.containers.get(id).execUrl(["both"]);
}

function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|Pipe|Timeout/.test(kind)).length;
}

/** Creates a connection that sends a greeting and echoes its input. */
function echo(greeting: string, closed: string[]): Duplex {
  const connection = new Duplex({
    read() {},
    write(chunk, _encoding, callback) {
      this.push(chunk);
      callback();
    },
    destroy(error, callback) {
      closed.push(greeting);
      callback(error);
    },
  });
  connection.push(greeting);
  return connection;
}

test("an attach ends with its input if the container's own input stays open", async () => {
  const { runtime, cri, pod } = await serve({ run: () => ({}) });
  const container = await pod.runContainer({ name: "open", image: "busybox:1", stdin: true });
  const session = await container.attach({ transport: "spdy", stdin: true });
  session.stdin.end("last words");
  await session.ended;
  expect(runtime.containers.find(({ metadata }) => metadata?.name === "open")?.state).toBe(1);
  await cri.close();
});
