/** Exec and attach with streams, over both wire protocols. */
import { createHash, randomBytes } from "node:crypto";
import { Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { inspect } from "node:util";
import { ExecError, type ExecSession } from "k8s-cri-client";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { eventually, expectCode, failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { countProcesses } from "./helpers/in-container.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

const transports = ["spdy", "websocket"] as const;
/** The whole of it takes a minute on containerd 1.6, which needs about a second for each of many execs at once. */
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Everything that a session says, and how it ends. */
async function outcome(session: ExecSession) {
  const read = (stream: typeof session.stdout) => (stream ? text(stream) : undefined);
  const [stdout, stderr, { exitCode }] = await Promise.all([read(session.stdout), read(session.stderr), session.exit]);
  return { stdout, stderr, exitCode };
}

journeys("sessions", (fixture) => {
  test.each(transports)("%s: outputs apart and the exit code", async (transport) => {
    const container = await fixture.sharedContainer();
    for (const code of [0, 1, 137]) {
      await using session = await container.exec(sh(`echo out; echo err >&2; exit ${code}`), { transport });
      expect(session.transport).toBe(transport);
      expect(await outcome(session)).toEqual({ stdout: "out\n", stderr: "err\n", exitCode: code });
    }
    await using killed = await container.exec(sh("kill -9 $$"), { transport });
    expect((await outcome(killed)).exitCode).toBe(137);
  });

  test.each(transports)(
    `%s: ${fixture.scaledMebibytes(32)} MiB out, complete, to a reader that takes its time`,
    async (transport) => {
      const size = fixture.scaledMebibytes(32) * 2 ** 20;
      await using at = await folder();
      await using container = await fixture.container(await fixture.sharedPod(), at.inside);
      await using session = await container.exec(sh(`head -c ${size} /dev/urandom | tee big`), { transport });
      const hash = createHash("sha256");
      let length = 0;
      for await (const chunk of session.stdout as AsyncIterable<Buffer>) {
        if (length === 0) await new Promise((resolve) => setTimeout(resolve, 300));
        hash.update(chunk);
        length += chunk.length;
      }
      expect([length, await session.exit]).toEqual([size, { exitCode: 0 }]);
      expect((await container.execSync(["sha256sum", "big"])).stdout.split(" ")[0]).toBe(hash.digest("hex"));
    },
  );

  test(`standard input ends, and output and exit code still come: ${fixture.scaledMebibytes(64)} MiB in, and back out`, async () => {
    const container = await fixture.sharedContainer();
    const data = randomBytes(fixture.scaledMebibytes(64) * 2 ** 20);
    const sum = await container.execOutput(["sha256sum"], { input: data });
    expect([sum.exitCode, sum.stdout.split(" ")[0]]).toEqual([0, sha256(data)]);
    const echo = await container.execOutput(["cat"], { input: data, encoding: "buffer" });
    expect(sha256(echo.stdout)).toBe(sha256(data));
  });

  test("input that the command does not read, and input that never comes, are no trouble", async () => {
    const container = await fixture.sharedContainer();
    const unread = await container.execOutput(["head", "-c", "3"], { input: "abcdef".repeat(1_000) });
    expect(unread).toEqual({ exitCode: 0, stdout: "abc", stderr: "" });
    const never = await container.execOutput(sh("exit 4"), { input: "x" });
    expect(never.exitCode).toBe(4);
    await using open = await container.exec(sh("echo done; exit 5"), { stdin: true });
    expect(await outcome(open)).toMatchObject({ stdout: "done\n", exitCode: 5 });
  });

  test("input that breaks off is no success, whatever the command made of it", async () => {
    const container = await fixture.sharedContainer();
    const failure = Object.assign(new Error("the source broke"), { code: "EPIPE" });
    async function* input() {
      yield "some";
      throw failure;
    }
    expect(await failureOf(container.execOutput(["wc", "-c"], { input: input() }))).toBe(failure);
  });

  test.each(transports)(
    "%s: the exit code does not wait for a reader, and the output can be read after it",
    async (transport) => {
      const container = await fixture.sharedContainer();
      await using session = await container.exec(sh("echo out; echo err >&2; exit 3"), { transport });
      expect(await session.exit).toEqual({ exitCode: 3 });
      expect(await text(session.stdout as NonNullable<typeof session.stdout>)).toBe("out\n");
      expect(await text(session.stderr as NonNullable<typeof session.stderr>)).toBe("err\n");
    },
  );

  test("over WebSocket input cannot end, and says so", async () => {
    const container = await fixture.sharedContainer();
    await using session = await container.exec(["cat"], { stdin: true, transport: "websocket" });
    expect(session.canHalfCloseStdin).toBe(false);
    session.stdin?.write("hello");
    const first = await new Promise((resolve) => session.stdout?.once("data", resolve));
    expect(String(first)).toBe("hello");
    await expectCode(container.execOutput(["cat"], { input: "x", transport: "websocket" }), "UNIMPLEMENTED");
    await expectCode(pipeline(Readable.from(["more"]), session.stdin as Writable), "UNIMPLEMENTED");
    expect(String(await new Promise((resolve) => session.stdout?.once("data", resolve)))).toBe("more");
  });

  test.each(transports)("%s: a terminal, with its size", async (transport) => {
    const container = await fixture.sharedContainer();
    const terminalSize = { columns: 80, rows: 24 };
    await using session = await container.exec(["sh"], { tty: true, stdin: true, transport, terminalSize });
    expect(session.stderr).toBeNull();
    let seen = "";
    session.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const ask = () => {
      session.stdin?.write("stty size\n");
      return seen;
    };
    await eventually(ask, (said) => said.includes("24 80"));
    session.resize({ columns: 132, rows: 43 });
    await eventually(ask, (said) => said.includes("43 132"));
    session.stdin?.write("exit 6\n");
    expect(await session.exit).toEqual({ exitCode: 6 });
  });

  test("many sessions, one after the other and at once, each with its own result", async () => {
    const container = await fixture.sharedContainer();
    const run = async (code: number) => expect((await container.execOutput(sh(`exit ${code}`))).exitCode).toBe(code);
    const [sequential, parallel] = thorough ? [200, 50] : [20, 12];
    for (let code = 0; code < sequential; code++) await run(code);
    await Promise.all(Array.from({ length: parallel }, (_, code) => run(code)));
  });

  test("what goes wrong is told: a missing command, a container that does not run, a non-zero code on request", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await expectCode(container.execOutput(["no-such-command"]), "COMMAND_NOT_FOUND");
    await expectCode(container.execOutput(["/no/such/command"]), "COMMAND_NOT_FOUND");
    const failure = await failureOf(container.execOutput(sh("echo no >&2; exit 2"), { throwOnNonZero: true }));
    expect(failure).toBeInstanceOf(ExecError);
    expect(failure).toMatchObject({ exitCode: 2, stderr: "no\n" });
    await container.stop({ gracePeriodSeconds: 0 });
    await expectCode(container.execOutput(["true"]), "FAILED_PRECONDITION");
    // CRI-O opens the session and refuses in it.
    await expectCode(
      container.attach().then((session) => session.ended),
      "FAILED_PRECONDITION",
    );
    await container.remove();
    await expectCode(container.execOutput(["true"]), "NOT_FOUND");
    await expectCode(container.attach(), "NOT_FOUND");
  });

  test.each(transports)("%s: a token is good for one session", async (transport) => {
    const container = await fixture.sharedContainer();
    // cri-dockerd gives neither a scheme nor an address that can be connected to.
    const given = new URL(await fixture.cri.containers.execUrl(container, ["true"]), "http://127.0.0.1");
    const url = Object.assign(given, { hostname: "127.0.0.1" });
    await using cri = fixture.client({ streamUrl: () => url });
    const again = () => cri.containers.get(container.id).execOutput(["true"], { transport });
    expect((await again()).exitCode).toBe(0);
    const failure = await failureOf(again());
    expect(failure).toMatchObject({ code: "NOT_FOUND" });
    expect(inspect(failure, { depth: 5 })).not.toContain(url.pathname.split("/").at(-1));
  });

  test.each(transports)("%s: a command that closes its output early goes on to its end", async (transport) => {
    const container = await fixture.sharedContainer();
    await using session = await container.exec(sh("echo out; exec >&- 2>&-; sleep 0.3; exit 3"), { transport });
    expect(await outcome(session)).toEqual({ stdout: "out\n", stderr: "", exitCode: 3 });
  });

  test("aborting ends the session with the signal's reason; the command goes on unless it is to be killed", async () => {
    const container = await fixture.sharedContainer();
    for (const [killOnAbort, left] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const seconds = uniqueSeconds();
      const running = () => countProcesses(container, `sleep ${seconds}`);
      const controller = new AbortController();
      await using session = await container.exec(sh(`sleep ${seconds}; true`), {
        signal: controller.signal,
        killOnAbort,
      });
      await eventually(running, (count) => count > 0);
      controller.abort(new Error("enough"));
      expect(await failureOf(session.exit)).toEqual(new Error("enough"));
      await eventually(running, (count) => count === left);
    }
  });

  test("aborting while the session is being opened kills the command as well", async () => {
    const container = await fixture.sharedContainer();
    const seconds = uniqueSeconds();
    const delays = [0, 2, 5, 10, 20, 40, 80];
    await Promise.all(
      delays.map(async (ms) => {
        const signal = AbortSignal.timeout(ms);
        const session = container.exec(["sleep", seconds], { signal, killOnAbort: true });
        const failure = await failureOf(session.then(({ exit }) => exit));
        expect(failure).toMatchObject({ name: "TimeoutError" });
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    await eventually(
      () => countProcesses(container, `sleep ${seconds}`),
      (count) => count === 0,
    );
  });

  test.each(transports)("%s: attach: the main process's input and output, and its end", async (transport) => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      // containerd loses output at both ends: it passes the input on before it listens for output, and what the process writes just
      // before it exits reaches the log, but not always the session.
      command: sh("read line; sleep 0.5; echo got $line; sleep 0.5; exit 9"),
      stdin: true,
    });
    await using session = await container.attach({ stdin: true, transport });
    const output = text(session.stdout as NonNullable<typeof session.stdout>);
    session.stderr?.resume();
    session.stdin?.write("word\n");
    expect(await output).toBe("got word\n");
    await session.ended;
    expect((await container.wait()).exitCode).toBe(9);
  });
});
