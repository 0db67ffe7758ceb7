/** Exec and attach sessions over both wire protocols. */
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
import { waitForProcesses } from "./helpers/in-container.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

const transports = ["spdy", "websocket"] as const;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Reads the whole output of a session, and waits for its exit code. */
async function outcome(session: ExecSession) {
  const read = (stream: typeof session.stdout) => (stream ? text(stream) : undefined);
  const [stdout, stderr, { exitCode }] = await Promise.all([read(session.stdout), read(session.stderr), session.exit]);
  return { stdout, stderr, exitCode };
}

journeys("sessions", (fixture) => {
  test.each(transports)("%s: separates the outputs and returns the exit code", async (transport) => {
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
    `%s: a slow consumer receives ${fixture.scaledMebibytes(32)} MiB completely`,
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

  test(`output and exit code arrive after the end of ${fixture.scaledMebibytes(64)} MiB of standard input`, async () => {
    const container = await fixture.sharedContainer();
    const data = randomBytes(fixture.scaledMebibytes(64) * 2 ** 20);
    const sum = await container.execOutput(["sha256sum"], { input: data });
    expect([sum.exitCode, sum.stdout.split(" ")[0]]).toEqual([0, sha256(data)]);
    const echo = await container.execOutput(["cat"], { input: data, encoding: "buffer" });
    expect(sha256(echo.stdout)).toBe(sha256(data));
  });

  test("a command can leave its input unread, or exit before its input ends", async () => {
    const container = await fixture.sharedContainer();
    const unread = await container.execOutput(["head", "-c", "3"], { input: "abcdef".repeat(1_000) });
    expect(unread).toEqual({ exitCode: 0, stdout: "abc", stderr: "" });
    const never = await container.execOutput(sh("exit 4"), { input: "x" });
    expect(never.exitCode).toBe(4);
    await using open = await container.exec(sh("echo done; exit 5"), { stdin: true });
    expect(await outcome(open)).toMatchObject({ stdout: "done\n", exitCode: 5 });
  });

  test("execOutput() rejects if its input fails, even if the command succeeds", async () => {
    const container = await fixture.sharedContainer();
    const failure = Object.assign(new Error("the source broke"), { code: "EPIPE" });
    async function* input() {
      yield "some";
      throw failure;
    }
    expect(await failureOf(container.execOutput(["wc", "-c"], { input: input() }))).toBe(failure);
  });

  test.each(transports)(
    "%s: the exit code arrives before the output is read, and the output can be read afterwards",
    async (transport) => {
      const container = await fixture.sharedContainer();
      await using session = await container.exec(sh("echo out; echo err >&2; exit 3"), { transport });
      expect(await session.exit).toEqual({ exitCode: 3 });
      expect(await text(session.stdout as NonNullable<typeof session.stdout>)).toBe("out\n");
      expect(await text(session.stderr as NonNullable<typeof session.stderr>)).toBe("err\n");
    },
  );

  test("ending the input over WebSocket rejects with UNIMPLEMENTED", async () => {
    const container = await fixture.sharedContainer();
    await using session = await container.exec(["cat"], { stdin: true, transport: "websocket" });
    expect(session.canHalfCloseStdin).toBe(false);
    session.stdin.write("hello");
    const first = await new Promise((resolve) => session.stdout.once("data", resolve));
    expect(String(first)).toBe("hello");
    await expectCode(container.execOutput(["cat"], { input: "x", transport: "websocket" }), "UNIMPLEMENTED");
    await expectCode(pipeline(Readable.from(["more"]), session.stdin as Writable), "UNIMPLEMENTED");
    expect(String(await new Promise((resolve) => session.stdout.once("data", resolve)))).toBe("more");
  });

  test.each(transports)("%s: sets and changes the size of a terminal", async (transport) => {
    const container = await fixture.sharedContainer();
    const terminalSize = { columns: 80, rows: 24 };
    await using session = await container.exec(["sh"], { tty: true, stdin: true, transport, terminalSize });
    expect(session.stderr).toBeNull();
    let seen = "";
    session.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const requestSize = () => {
      session.stdin.write("stty size\n");
      return seen;
    };
    await eventually(requestSize, (output) => output.includes("24 80"));
    session.resize({ columns: 132, rows: 43 });
    await eventually(requestSize, (output) => output.includes("43 132"));
    session.stdin.write("exit 6\n");
    expect(await session.exit).toEqual({ exitCode: 6 });
  });

  test("each of many sequential and parallel sessions gets its own exit code", async () => {
    const container = await fixture.sharedContainer();
    const run = async (code: number) => expect((await container.execOutput(sh(`exit ${code}`))).exitCode).toBe(code);
    // containerd 1.6 needs about 1 s for each of many parallel execs, so the thorough run takes a minute.
    const [sequential, parallel] = thorough ? [200, 50] : [20, 12];
    for (let code = 0; code < sequential; code++) await run(code);
    await Promise.all(Array.from({ length: parallel }, (_, code) => run(code)));
  });

  test("rejects for a missing command, a container that is not running, and a non-zero code with throwOnNonZero", async () => {
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

  test.each(transports)("%s: a token is valid for one session only", async (transport) => {
    const container = await fixture.sharedContainer();
    // cri-dockerd returns a URL without a scheme, with an address that accepts no connections.
    const given = new URL(await fixture.cri.containers.get(container).execUrl(["true"]), "http://127.0.0.1");
    const url = Object.assign(given, { hostname: "127.0.0.1" });
    await using cri = fixture.client({ streamUrl: () => url });
    const run = () => cri.containers.get(container.id).execOutput(["true"], { transport });
    expect((await run()).exitCode).toBe(0);
    const failure = await failureOf(run());
    expect(failure).toMatchObject({ code: "NOT_FOUND" });
    expect(inspect(failure, { depth: 5 })).not.toContain(url.pathname.split("/").at(-1));
  });

  test.each(transports)("%s: a command that closes its output early runs to its end", async (transport) => {
    const container = await fixture.sharedContainer();
    await using session = await container.exec(sh("echo out; exec >&- 2>&-; sleep 0.3; exit 3"), { transport });
    expect(await outcome(session)).toEqual({ stdout: "out\n", stderr: "", exitCode: 3 });
  });

  test("an abort rejects with the signal's reason, and kills the command only with killOnAbort", async () => {
    const container = await fixture.sharedContainer();
    for (const [killOnAbort, processCount] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const seconds = uniqueSeconds();
      const controller = new AbortController();
      await using session = await container.exec(sh(`sleep ${seconds}; true`), {
        signal: controller.signal,
        killOnAbort,
      });
      await waitForProcesses(container, `sleep ${seconds}`, 1);
      controller.abort(new Error("enough"));
      expect(await failureOf(session.exit)).toEqual(new Error("enough"));
      await waitForProcesses(container, `sleep ${seconds}`, processCount);
    }
  });

  test("with killOnAbort, an abort while the session opens kills the command", async () => {
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
    await waitForProcesses(container, `sleep ${seconds}`, 0);
  });

  test.each(transports)(
    "%s: attach connects to the main process's input and output until it exits",
    async (transport) => {
      await using container = await fixture.container(await fixture.sharedPod(), {
        // containerd can lose output at both ends. It forwards input before it subscribes to the output, and output just before the
        // exit is always in the log but not always in the session.
        command: sh("read line; sleep 0.5; echo got $line; sleep 0.5; exit 9"),
        stdin: true,
      });
      await using session = await container.attach({ stdin: true, transport });
      const output = text(session.stdout as NonNullable<typeof session.stdout>);
      session.stderr.resume();
      session.stdin.write("word\n");
      expect(await output).toBe("got word\n");
      await session.ended;
      expect((await container.wait()).exitCode).toBe(9);
    },
  );
});
