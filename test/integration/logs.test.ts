import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CriError, OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import { skipOnWindows } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

const line = (text: string, second = 0, stream = "stdout") =>
  `2026-11-23T06:00:${String(second).padStart(2, "0")}.000000000Z ${stream} F ${text}\n`;

async function textsOf(entries: AsyncIterable<{ text: string }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of entries) texts.push(text);
  return texts;
}

/** A pod whose containers have logs; they say nothing by themselves, so the tests write. */
async function podWithLogs(
  options: Parameters<typeof startFake>[1] = {},
  fakeOptions: Parameters<typeof startFake>[0] = {},
) {
  const { runtime, cri } = await startFake(fakeOptions, options);
  const logDirectory = await mkdtemp(join(tmpdir(), "logs-"));
  onTestFinished(() => rm(logDirectory, { recursive: true }));
  const pod = await cri.pods.run({ name: "p", labels: { app: "web" }, logDirectory });
  const write = async (container: OwnedContainer, ...lines: string[]) => {
    const { logPath } = await container.status();
    await mkdir(dirname(logPath), { recursive: true });
    await appendFile(logPath, lines.join(""));
    return logPath;
  };
  const run = (name: string, of: OwnedPodSandbox = pod) => of.runContainer({ name, image: "busybox:1" });
  return { runtime, cri, pod, run, write, logDirectory };
}

describe("a container's log", () => {
  test("is followed while the runtime is away, and ends when the container is gone", async () => {
    const { runtime, cri, run, write } = await podWithLogs();
    const container = await run("c");
    const path = await write(container, line("one"));
    const followed = textsOf(container.logs({ follow: true }));
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await runtime.kill();
    await sleep(300);
    await appendFile(path, line("two"));
    await runtime.restart();
    // The watch has tried to connect in vain meanwhile: the next attempt may be due later than the last one of a call.
    await cri.waitForReady({ timeoutMs: 20_000 });
    await container.remove();
    expect(await followed).toEqual(["one", "two"]);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("is there a moment later on Docker, even of a container that has ended by then", async () => {
    const { pod, run, write, logDirectory } = await podWithLogs({}, { flavor: "cri-dockerd", strict: false });
    const container = await run("c");
    const path = await write(
      container,
      `${JSON.stringify({ log: "one\n", stream: "stdout", time: "2026-11-23T06:00:00Z" })}\n`,
    );
    await container.stop({ gracePeriodSeconds: 0 });
    for (const logs of [() => container.logs(), () => pod.logs()]) {
      const hidden = join(logDirectory, "hidden");
      await rename(path, hidden);
      const reading = textsOf(logs());
      await sleep(200);
      await rename(hidden, path);
      expect(await reading).toEqual(["one"]);
    }
  });

  test.each([
    ["container", { flavor: "containerd-2" }],
    ["pod", { flavor: "containerd-2" }],
    ["container", { flavor: "containerd-1.7" }],
  ] as const)("of a %s, %j, is followed without polling and ends with the container", async (whose, fakeOptions) => {
    const { runtime, pod, run, write } = await podWithLogs({}, fakeOptions);
    const container = await run("c");
    await write(container, line("one"));
    const texts: string[] = [];
    let endedAt = 0;
    const followed = (async () => {
      for await (const { text } of whose === "pod" ? pod.logs({ follow: true }) : container.logs({ follow: true })) {
        texts.push(text);
      }
      endedAt = performance.now();
    })();
    await expect.poll(() => texts).toEqual(["one"]);
    // The watch is at rest by now.
    await sleep(1_500);
    expect(runtime.callsOf("ContainerStatus").length).toBeLessThanOrEqual(3);
    await write(container, line("two"));
    const exit = container.wait();
    await container.stop({ gracePeriodSeconds: 0 });
    await exit;
    const exitedAt = performance.now();
    await followed;
    expect(texts).toEqual(["one", "two"]);
    // The follow learns of the exit with the wait, not a second later.
    expect(endedAt - exitedAt).toBeLessThan(900);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("of an exited container is read to its end with follow, without a watch", async () => {
    const { runtime, run, write } = await podWithLogs();
    const container = await run("c");
    await write(container, line("one"));
    await container.stop({ gracePeriodSeconds: 0 });
    runtime.clearCalls();
    expect(await textsOf(container.logs({ follow: true }))).toEqual(["one"]);
    expect(runtime.calls.map(({ rpc }) => rpc)).toEqual(["ContainerStatus"]);
  });

  test("ends with the client", async () => {
    const { cri, run, write } = await podWithLogs();
    const container = await run("c");
    await write(container, line("one"));
    const followed = rejection(textsOf(container.logs({ follow: true })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await cri.close();
    expect(await followed).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("does no I/O before it is read, but checks its options at once", async () => {
    const { runtime, run } = await podWithLogs();
    const container = await run("c");
    const before = runtime.calls.length;
    container.logs({ follow: true });
    expect(() => container.logs({ tailLines: -1 })).toThrow(/tailLines/);
    expect(() => container.logs({ since: "yesterday" })).toThrow(/since/);
    expect(runtime.calls.length).toBe(before);
  });

  test("a file that is not on this machine is missed with a remedy", async () => {
    const { run } = await podWithLogs();
    const container = await run("c");
    await rm((await container.status()).logPath);
    const error = await rejection(textsOf(container.logs()));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(String(error)).toMatch(/node of the runtime.*mounted/);
  });
});

describe("rotateLog", () => {
  test("renames and reopens; twice in a second makes two names in order", async () => {
    const { runtime, run, write } = await podWithLogs();
    const container = await run("c");
    const path = await write(container, line("one"));
    const first = await container.rotateLog();
    expect(first).toMatch(/\.log\.\d{8}-\d{6}$/);
    expect(first.startsWith(path)).toBe(true);
    await write(container, line("two"));
    const second = await container.rotateLog();
    expect(second > first).toBe(true);
    expect(runtime.callsOf("ReopenContainerLog")).toHaveLength(2);
    await write(container, line("three"));
    expect(await textsOf(container.logs({ rotated: true }))).toEqual(["one", "two", "three"]);
  });

  test("gives the name back when the runtime does not reopen", async () => {
    const { runtime, run, write } = await podWithLogs();
    const container = await run("c");
    const path = await write(container, line("one"));
    runtime.failNext("ReopenContainerLog", { code: "UNKNOWN", message: "container is not running" });
    expect(await rejection(container.rotateLog())).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(await readdir(dirname(path))).toEqual([path.slice(dirname(path).length + 1)]);
    expect(await readFile(path, "utf8")).toBe(line("one"));
  });

  test("leaves the new file alone when only the answer was lost", async () => {
    let reopened = "";
    const { runtime, run, write } = await podWithLogs({
      attemptMiddleware: [
        async function* (call, options) {
          if (call.method.path.endsWith("/ReopenContainerLog")) await writeFile(reopened, line("two"));
          return yield* call.next(call.request, options);
        },
      ],
    });
    const container = await run("c");
    reopened = await write(container, line("one"));
    runtime.failNext("ReopenContainerLog", { code: "INTERNAL" });
    expect(await rejection(container.rotateLog())).toMatchObject({ code: "INTERNAL" });
    expect(await textsOf(container.logs())).toEqual(["two"]);
    expect(await textsOf(container.logs({ rotated: true }))).toEqual(["one", "two"]);
  });
});

describe("several logs", () => {
  test("by the labels of pods and the names of containers, in the order of time", async () => {
    const { cri, pod, run, write, logDirectory } = await podWithLogs();
    const other = await cri.pods.run({ name: "o", labels: { app: "db" }, logDirectory: join(logDirectory, "o") });
    const [a, b, c] = [await run("a"), await run("b"), await run("a", other)];
    await write(a, line("a1", 1), line("a4", 4));
    await write(b, line("b2", 2), line("b3", 3));
    await write(c, line("c1", 1));
    expect(await textsOf(pod.logs())).toEqual(["a1", "b2", "b3", "a4"]);
    expect(await textsOf(cri.logs({ podLabels: { app: "web" } }))).toEqual(["a1", "b2", "b3", "a4"]);
    expect(await textsOf(cri.logs({ podLabels: { app: "web" }, container: "b" }))).toEqual(["b2", "b3"]);
    expect((await textsOf(cri.logs({ container: "a" }))).sort()).toEqual(["a1", "a4", "c1"]);
    expect(await textsOf(pod.logs({ tailLines: 1 }))).toEqual(["b3", "a4"]);
    for await (const entry of pod.logs({ container: "b" })) {
      expect(entry).toMatchObject({ container: "b", attempt: 0, containerId: b.id, podSandboxId: pod.id });
    }
  });

  test("follow into a container that comes later, the latest attempt only, until none can write", async () => {
    const { pod, run, write } = await podWithLogs();
    const first = await run("a");
    await write(first, line("old", 1));
    const second = await first.restart();
    await write(second, line("new", 2));
    const followed = textsOf(pod.logs({ follow: true }));
    const late = await run("late");
    await write(late, line("late", 3));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await Promise.all([second.stop({ gracePeriodSeconds: 0 }), late.stop({ gracePeriodSeconds: 0 })]);
    expect(await followed).toEqual(["new", "late"]);
  });

  test("leave out a container that was not started, tell of a file that is missing, and fail if no log can be read", async () => {
    const { cri, pod, run, write } = await podWithLogs();
    await pod.createContainer({ name: "created", image: "busybox:1" });
    const a = await run("a");
    await rm((await a.status()).logPath);
    expect(await rejection(textsOf(pod.logs()))).toMatchObject({ code: "NOT_FOUND" });
    expect(await rejection(textsOf(pod.logs({ follow: true, container: "a" })))).toMatchObject({ code: "NOT_FOUND" });
    await write(a, line("a1"));
    expect(await textsOf(pod.logs())).toEqual(["a1"]);
    const b = await run("b");
    await rm((await b.status()).logPath);
    const missed: unknown[] = [];
    const onMissed = (error: CriError, containerId: string) => missed.push([error.code, containerId]);
    expect(await textsOf(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual([["NOT_FOUND", b.id]]);
    expect(() => cri.logs({}, { orderWindowMs: Number.NaN })).toThrow(/orderWindowMs/);
    expect(() => cri.logs({ pod: "" })).toThrow(/pod/);
  });

  test.skipIf(skipOnWindows("named pipes in the file system"))("leave out named pipes, and block nothing", async () => {
    const { pod, run, write } = await podWithLogs();
    await write(await run("a"), line("a1"));
    const pipes = await Promise.all(["b", "c", "d", "e"].map((name) => run(name)));
    for (const container of pipes) {
      const { logPath } = await container.status();
      await rm(logPath);
      execFileSync("mkfifo", [logPath]);
    }
    const missed: Record<string, string> = {};
    const onMissed = ({ code }: CriError, containerId: string) => {
      missed[containerId] = code;
    };
    expect(await textsOf(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual(Object.fromEntries(pipes.map(({ id }) => [id, "FAILED_PRECONDITION"])));
  });

  test("leave out a file that the operating system cannot open, whatever its error", async () => {
    const { pod, run, write } = await podWithLogs();
    const [a, b] = [await run("a"), await run("b")];
    await write(a, line("a1"));
    const { logPath } = await b.status();
    await rm(logPath);
    // A link to itself: ELOOP, for which there is no code.
    await symlink(logPath, logPath);
    const missed: unknown[] = [];
    const onMissed = (error: CriError, containerId: string) => missed.push([error.code, containerId]);
    expect(await textsOf(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual([["UNKNOWN", b.id]]);
  });

  test.each(["UNAVAILABLE", "DEADLINE_EXCEEDED"] as const)(
    "followed for ever ask again for the status of a container after %s",
    async (code) => {
      const { runtime, cri, run, write } = await podWithLogs({ defaults: { retry: false } });
      await write(await run("a"), line("one"));
      runtime.failNext("ContainerStatus", { code });
      for await (const { text } of cri.logs({}, { follow: "forever" })) {
        expect(text).toBe("one");
        break;
      }
    },
  );

  test("end with the error of their onMissed, and no other watch does", async () => {
    const { cri, run, write } = await podWithLogs();
    await write(await run("a"), line("one"));
    const other = cri.logs({}, { follow: "forever" })[Symbol.asyncIterator]();
    const first = (await other.next()).value;
    expect(first).toMatchObject({ text: "one" });
    const bug = new Error("a bug of the caller");
    let missed: CriError | undefined;
    const onMissed = (error: CriError) => {
      missed = error;
      throw bug;
    };
    const after = { gone: first?.position ?? "" };
    expect(await rejection(textsOf(cri.logs({}, { follow: "forever", after, onMissed })))).toBe(bug);
    expect(missed?.details).toMatch(/^container gone does not match the query or was removed/);
    await write(await run("b"), line("two"));
    expect((await other.next()).value).toMatchObject({ text: "two" });
    await other.return?.();
  });

  test("followed until a time, or for so many bytes, end although the containers go on", async () => {
    const { pod, run, write } = await podWithLogs();
    for (const name of ["a", "b"]) await write(await run(name), line(`${name}1`, 1), line(`${name}2`, 2));
    const until = new Date();
    expect(await textsOf(pod.logs({ follow: true, until }))).toEqual(["a1", "b1", "a2", "b2"]);
    expect((await textsOf(pod.logs({ follow: true, limitBytes: 2 }))).sort()).toEqual(["a1", "b1"]);
  });

  test("followed for ever join new pods, containers and attempts until they are closed", async () => {
    const { runtime, cri, pod, run, write, logDirectory } = await podWithLogs();
    const logs = cri.logs({ podLabels: { app: "web" }, container: "a" }, { follow: "forever" });
    const entries: string[] = [];
    const followed = (async () => {
      for await (const { text, attempt, podSandboxId } of logs) {
        entries.push(`${podSandboxId === pod.id ? "p" : "q"} ${attempt} ${text}`);
      }
    })();
    // Nothing matches yet.
    await sleep(300);
    const first = await run("a");
    await write(first, line("one", 1));
    await expect.poll(() => entries).toEqual(["p 0 one"]);
    await first.stop({ gracePeriodSeconds: 0 });
    // Between two attempts nothing runs.
    await sleep(300);
    const second = await first.restart();
    await write(second, line("two", 2));
    await expect.poll(() => entries.slice(1)).toEqual(["p 1 two"]);
    await runtime.kill();
    await sleep(300);
    await runtime.restart();
    await cri.waitForReady({ timeoutMs: 10_000 });
    const other = await cri.pods.run({ name: "q", labels: { app: "web" }, logDirectory: join(logDirectory, "q") });
    await run("b", other);
    await write(await run("a", other), line("three", 3));
    await expect.poll(() => entries.slice(2), { timeout: 10_000 }).toEqual(["q 0 three"]);
    await logs.close();
    await followed;
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("followed end at their time limit", async () => {
    const { runtime, cri, pod, run, write } = await podWithLogs();
    const container = await run("a");
    await write(container, line("one"));
    // Long enough for the first line to be read on a machine under load.
    const timeoutMs = 2_000;
    const forever = cri.logs({}, { follow: "forever", timeoutMs });
    const one = container.logs({ follow: true, deadline: new Date(Date.now() + timeoutMs) });
    for (const logs of [forever, one, pod.logs({ follow: true, timeoutMs })]) {
      const texts: string[] = [];
      const read = async () => {
        for await (const { text } of logs) texts.push(text);
      };
      expect(await rejection(read())).toMatchObject({ code: "DEADLINE_EXCEEDED" });
      if (logs !== one) expect(texts).toEqual(["one"]);
    }
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("go on behind their positions after a restart: nothing is lost, nothing repeated", async () => {
    const { cri, pod, run, write } = await podWithLogs();
    const containers = [await run("a"), await run("b")];
    const written: string[] = [];
    const writeTo = async (container: OwnedContainer, text: string) => {
      await write(container, line(text, written.length % 60));
      written.push(text);
    };
    const positions: Record<string, string> = {};
    const shipped: string[] = [];
    const gone: string[] = [];
    /** Ships so many lines and is then stopped, as abruptly as may be. */
    const ship = async (count: number) => {
      const onMissed = (_: CriError, id: string) => gone.push(id);
      const after = JSON.parse(JSON.stringify(positions));
      for await (const entry of cri.logs({ pod }, { follow: "forever", after, onMissed })) {
        shipped.push(entry.text);
        positions[entry.containerId] = entry.position;
        if (--count === 0) return;
      }
    };
    for (let index = 0; index < 6; index++) await writeTo(containers[index % 2] as OwnedContainer, `line ${index}`);
    await ship(1);
    await ship(3);
    await containers[0]?.rotateLog();
    await containers[0]?.stop({ gracePeriodSeconds: 0 });
    const later = await pod.runContainer({ name: "a", attempt: 1, image: "busybox:1" });
    const brief = await run("brief");
    for (let index = 6; index < 12; index++) await writeTo(index % 2 ? later : brief, `line ${index}`);
    await ship(5);
    await brief.stop({ gracePeriodSeconds: 0 });
    await writeTo(later, "line 12");
    await ship(4);
    expect([...shipped].sort()).toEqual([...written].sort());
    await brief.remove();
    await writeTo(later, "line 13");
    await ship(1);
    expect([...shipped].sort()).toEqual([...written].sort());
    expect(gone).toContain(brief.id);
    const refused = (options: object) => () => cri.logs({}, options);
    expect(refused({ after: { x: "nonsense" } })).toThrow(/after/);
    expect(refused({ after: "nonsense" })).toThrow(/after/);
    expect(refused({ after: {}, tailLines: 1 })).toThrow(/tailLines/);
  });

  test("followed for ever end with their signal, and with the client", async () => {
    const { cri } = await podWithLogs();
    const signal = AbortSignal.timeout(100);
    expect(await rejection(textsOf(cri.logs({}, { follow: "forever", signal })))).toBe(signal.reason);
    const followed = rejection(textsOf(cri.logs({}, { follow: "forever" })));
    await sleep(100);
    await cri.close();
    expect(await followed).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("refuse nonsense before any call", async () => {
    const { runtime, cri } = await podWithLogs();
    runtime.clearCalls();
    const refusal = (options: object) => {
      try {
        cri.logs({}, options);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(refusal({ follow: "always" })).toMatchObject({ code: "INVALID_INPUT", field: "follow" });
    expect(refusal({ follow: "forever", until: new Date() })).toMatchObject({ code: "INVALID_INPUT", field: "until" });
    expect(refusal({ localPath: "/host" })).toMatchObject({ code: "INVALID_INPUT", field: "localPath" });
    const wrong = (query: object | null) => () => cri.logs(query as object);
    expect(wrong({ podlabels: { app: "web" } })).toThrow(/query\.podlabels: unknown field; did you mean podLabels/);
    expect(wrong({ container: 5 })).toThrow(/query\.container/);
    expect(wrong({ container: "" })).toThrow(/query\.container/);
    expect(wrong(null)).toThrow(/query/);
    expect(runtime.calls).toEqual([]);
  });

  test("come as bytes on request", async () => {
    const { cri, pod, run, write } = await podWithLogs();
    await write(await run("a"), line("a1", 1), line("a3", 3));
    await write(await run("b"), line("b2", 2));
    for (const logs of [pod.logs({ encoding: "buffer" }), cri.logs({}, { encoding: "buffer" })]) {
      const entries: string[] = [];
      for await (const { bytes, container } of logs) entries.push(`${container} ${Buffer.from(bytes)}`);
      expect(entries).toEqual(["a a1", "b b2", "a a3"]);
    }
  });

  test("left on their last line leave nothing behind", async () => {
    const { pod, run, write } = await podWithLogs();
    for (let index = 0; index < 20; index++) await write(await run(`c${index}`), line("one"));
    const unheard: unknown[] = [];
    const listener = (reason: unknown) => unheard.push(reason);
    process.on("unhandledRejection", listener);
    onTestFinished(() => void process.off("unhandledRejection", listener));
    let count = 0;
    for await (const _ of pod.logs({ follow: true })) if (++count === 20) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unheard).toEqual([]);
  });
});
