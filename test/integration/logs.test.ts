import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CriError, OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import { skipOnWindows } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

const line = (content: string, second = 0, stream = "stdout") =>
  `2026-11-23T06:00:${String(second).padStart(2, "0")}.000000000Z ${stream} F ${content}\n`;

async function readLines(entries: AsyncIterable<{ text: string }>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of entries) lines.push(text);
  return lines;
}

/** Runs a pod whose containers write nothing, so that the tests can write their logs. */
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
  test("is followed while the runtime is down, and ends when the container is removed", async () => {
    const { runtime, cri, run, write } = await podWithLogs();
    const container = await run("c");
    const path = await write(container, line("one"));
    const followed = readLines(container.logs({ follow: true }));
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await runtime.kill();
    await sleep(300);
    await appendFile(path, line("two"));
    await runtime.restart();
    // After its failed attempts, the watch may connect later than a call would retry.
    await cri.waitForReady({ timeoutMs: 20_000 });
    await container.remove();
    expect(await followed).toEqual(["one", "two"]);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("is awaited on Docker, which creates it late, even for an exited container", async () => {
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
      const reading = readLines(logs());
      await sleep(200);
      await rename(hidden, path);
      expect(await reading).toEqual(["one"]);
    }
  });

  test.each([
    ["container", { flavor: "containerd-2" }],
    ["pod", { flavor: "containerd-2" }],
    ["container", { flavor: "containerd-1.7" }],
  ] as const)("of a %s with %j is followed without polling and ends with the container", async (whose, fakeOptions) => {
    const { runtime, pod, run, write } = await podWithLogs({}, fakeOptions);
    const container = await run("c");
    await write(container, line("one"));
    const lines: string[] = [];
    let endedAt = 0;
    const followed = (async () => {
      for await (const { text } of whose === "pod" ? pod.logs({ follow: true }) : container.logs({ follow: true })) {
        lines.push(text);
      }
      endedAt = performance.now();
    })();
    await expect.poll(() => lines).toEqual(["one"]);
    // The watch no longer polls after its start.
    await sleep(1_500);
    expect(runtime.callsOf("ContainerStatus").length).toBeLessThanOrEqual(3);
    await write(container, line("two"));
    const exit = container.wait();
    await container.stop({ gracePeriodSeconds: 0 });
    await exit;
    const exitedAt = performance.now();
    await followed;
    expect(lines).toEqual(["one", "two"]);
    // The follow ends with the wait, not a poll interval later.
    expect(endedAt - exitedAt).toBeLessThan(900);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("of an exited container is read with follow to its end, without a watch", async () => {
    const { runtime, run, write } = await podWithLogs();
    const container = await run("c");
    await write(container, line("one"));
    await container.stop({ gracePeriodSeconds: 0 });
    runtime.clearCalls();
    expect(await readLines(container.logs({ follow: true }))).toEqual(["one"]);
    expect(runtime.calls.map(({ rpc }) => rpc)).toEqual(["ContainerStatus"]);
  });

  test("rejects when the client is closed", async () => {
    const { cri, run, write } = await podWithLogs();
    const container = await run("c");
    await write(container, line("one"));
    const followed = rejection(readLines(container.logs({ follow: true })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await cri.close();
    expect(await followed).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("causes no I/O before it is read, but checks its options at once", async () => {
    const { runtime, run } = await podWithLogs();
    const container = await run("c");
    const before = runtime.calls.length;
    container.logs({ follow: true });
    expect(() => container.logs({ tailLines: -1 })).toThrow(/tailLines/);
    expect(() => container.logs({ since: "yesterday" })).toThrow(/since/);
    expect(runtime.calls.length).toBe(before);
  });

  test("rejects with a remedy if the file is not on this machine", async () => {
    const { run } = await podWithLogs();
    const container = await run("c");
    await rm((await container.status()).logPath);
    const error = await rejection(readLines(container.logs()));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(String(error)).toMatch(/node of the runtime.*mounted/);
  });
});

describe("rotateLog", () => {
  test("renames and reopens the log, with ordered names even twice in a second", async () => {
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
    expect(await readLines(container.logs({ rotated: true }))).toEqual(["one", "two", "three"]);
  });

  test("restores the name if the runtime does not reopen the log", async () => {
    const { runtime, run, write } = await podWithLogs();
    const container = await run("c");
    const path = await write(container, line("one"));
    runtime.failNext("ReopenContainerLog", { code: "UNKNOWN", message: "container is not running" });
    const endpoint = runtime.endpoint;
    expect(await rejection(container.rotateLog())).toMatchObject({ code: "FAILED_PRECONDITION", endpoint });
    expect(await readdir(dirname(path))).toEqual([path.slice(dirname(path).length + 1)]);
    expect(await readFile(path, "utf8")).toBe(line("one"));
  });

  test("keeps the new file if only the reply is lost", async () => {
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
    expect(await readLines(container.logs())).toEqual(["two"]);
    expect(await readLines(container.logs({ rotated: true }))).toEqual(["one", "two"]);
  });
});

describe("several logs", () => {
  test("are selected by pod labels and container names, and merged by time", async () => {
    const { cri, pod, run, write, logDirectory } = await podWithLogs();
    const ofOther = { namespace: "shop", labels: { app: "db" }, logDirectory: join(logDirectory, "o") };
    const other = await cri.pods.run({ name: "o", ...ofOther });
    const [a, b, c] = [await run("a"), await run("b"), await run("a", other)];
    await write(a, line("a1", 1), line("a4", 4));
    await write(b, line("b2", 2), line("b3", 3));
    await write(c, line("c1", 1));
    expect(await readLines(pod.logs())).toEqual(["a1", "b2", "b3", "a4"]);
    expect(await readLines(cri.logs({ podLabels: { app: "web" } }))).toEqual(["a1", "b2", "b3", "a4"]);
    expect(await readLines(cri.logs({ podLabels: { app: "web" }, container: "b" }))).toEqual(["b2", "b3"]);
    expect(await readLines(cri.logs({ podNamespace: "shop" }))).toEqual(["c1"]);
    expect(await readLines(cri.logs({ podNamespace: "shop", podLabels: { app: "web" } }))).toEqual([]);
    expect((await readLines(cri.logs({ container: "a" }))).sort()).toEqual(["a1", "a4", "c1"]);
    expect(await readLines(pod.logs({ tailLines: 1 }))).toEqual(["b3", "a4"]);
    for await (const entry of pod.logs({ container: "b" })) {
      expect(entry).toMatchObject({ container: "b", attempt: 0, containerId: b.id, podSandboxId: pod.id });
    }
  });

  test("are selected by several queries, each container once", async () => {
    const { cri, pod, run, write, logDirectory } = await podWithLogs();
    const other = await cri.pods.run({ name: "o", logDirectory: join(logDirectory, "o") });
    const [a, b, c] = [await run("a"), await run("b"), await run("c", other)];
    for (const [at, container] of [a, b, c].entries()) await write(container, line(container.id, at));
    expect(await readLines(cri.logs({ id: b }))).toEqual([b.id]);
    const queries = [{ id: a.id.slice(0, 12) }, { pod: other }, { pod, container: "a" }];
    expect(await readLines(cri.logs(queries))).toEqual([a.id, c.id]);
    const followed = readLines(cri.logs(queries, { follow: true }));
    await Promise.all([a, c].map((container) => container.stop({ gracePeriodSeconds: 0 })));
    expect(await followed).toEqual([a.id, c.id]);
    expect(() => cri.logs([])).toThrow(/query: must have at least one query/);
    expect(() => cri.logs([{}, { podlabels: {} } as object])).toThrow(/query\[1\]\.podlabels: unknown field/);
  });

  test("follow new containers and only the latest attempt, until all have exited", async () => {
    const { pod, run, write } = await podWithLogs();
    const first = await run("a");
    await write(first, line("old", 1));
    const second = await first.restart();
    await write(second, line("new", 2));
    const followed = readLines(pod.logs({ follow: true }));
    const late = await run("late");
    await write(late, line("late", 3));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await Promise.all([second.stop({ gracePeriodSeconds: 0 }), late.stop({ gracePeriodSeconds: 0 })]);
    expect(await followed).toEqual(["new", "late"]);
  });

  test("skip containers that have not started, report missing files, and reject if no log can be read", async () => {
    const { cri, pod, run, write } = await podWithLogs();
    await pod.createContainer({ name: "created", image: "busybox:1" });
    const a = await run("a");
    await rm((await a.status()).logPath);
    expect(await rejection(readLines(pod.logs()))).toMatchObject({ code: "NOT_FOUND" });
    expect(await rejection(readLines(pod.logs({ follow: true, container: "a" })))).toMatchObject({ code: "NOT_FOUND" });
    await write(a, line("a1"));
    expect(await readLines(pod.logs())).toEqual(["a1"]);
    const b = await run("b");
    await rm((await b.status()).logPath);
    const missed: unknown[] = [];
    const onMissed = (error: CriError, containerId: string) => missed.push([error.code, containerId]);
    expect(await readLines(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual([["NOT_FOUND", b.id]]);
    expect(() => cri.logs({}, { orderWindowMs: Number.NaN })).toThrow(/orderWindowMs/);
    expect(() => cri.logs({ pod: "" })).toThrow(/pod/);
  });

  test.skipIf(skipOnWindows("named pipes in the file system"))("skip named pipes without blocking", async () => {
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
    expect(await readLines(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual(Object.fromEntries(pipes.map(({ id }) => [id, "FAILED_PRECONDITION"])));
  });

  test("skip a file that cannot be opened for any reason", async () => {
    const { pod, run, write } = await podWithLogs();
    const [a, b] = [await run("a"), await run("b")];
    await write(a, line("a1"));
    const { logPath } = await b.status();
    await rm(logPath);
    // A link to itself fails with ELOOP, which has no code of its own.
    await symlink(logPath, logPath);
    const missed: unknown[] = [];
    const onMissed = (error: CriError, containerId: string) => missed.push([error.code, containerId]);
    expect(await readLines(pod.logs({ onMissed }))).toEqual(["a1"]);
    expect(missed).toEqual([["UNKNOWN", b.id]]);
  });

  test.each(["UNAVAILABLE", "DEADLINE_EXCEEDED"] as const)(
    'with follow: "forever" retry the status of a container after %s',
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

  test("reject with an error that onMissed throws, without affecting other streams", async () => {
    const { cri, run, write } = await podWithLogs();
    await write(await run("a"), line("one"));
    const other = cri.logs({}, { follow: "forever" })[Symbol.asyncIterator]();
    const first = (await other.next()).value;
    expect(first).toMatchObject({ text: "one" });
    const bug = new Error("thrown by onMissed");
    let missed: CriError | undefined;
    const onMissed = (error: CriError) => {
      missed = error;
      throw bug;
    };
    const after = { gone: first?.position ?? "" };
    expect(await rejection(readLines(cri.logs({}, { follow: "forever", after, onMissed })))).toBe(bug);
    expect(missed?.details).toMatch(/^container gone does not match the query or was removed/);
    await write(await run("b"), line("two"));
    expect((await other.next()).value).toMatchObject({ text: "two" });
    await other.return?.();
  });

  test("end at until or limitBytes when they are followed, while the containers still run", async () => {
    const { pod, run, write } = await podWithLogs();
    for (const name of ["a", "b"]) await write(await run(name), line(`${name}1`, 1), line(`${name}2`, 2));
    const until = new Date();
    expect(await readLines(pod.logs({ follow: true, until }))).toEqual(["a1", "b1", "a2", "b2"]);
    expect((await readLines(pod.logs({ follow: true, limitBytes: 2 }))).sort()).toEqual(["a1", "b1"]);
  });

  test('with follow: "forever" include new pods, containers and attempts until they are closed', async () => {
    const { runtime, cri, pod, run, write, logDirectory } = await podWithLogs();
    const logs = cri.logs({ podLabels: { app: "web" }, container: "a" }, { follow: "forever" });
    const entries: string[] = [];
    const followed = (async () => {
      for await (const { text, attempt, podSandboxId } of logs) {
        entries.push(`${podSandboxId === pod.id ? "p" : "q"} ${attempt} ${text}`);
      }
    })();
    // No container matches yet.
    await sleep(300);
    const first = await run("a");
    await write(first, line("one", 1));
    await expect.poll(() => entries).toEqual(["p 0 one"]);
    await first.stop({ gracePeriodSeconds: 0 });
    // No container runs between the two attempts.
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

  test("end at their deadline when they are followed", async () => {
    const { runtime, cri, pod, run, write } = await podWithLogs();
    const container = await run("a");
    await write(container, line("one"));
    // Long enough to read the first line on a busy machine.
    const timeoutMs = 2_000;
    const forever = cri.logs({}, { follow: "forever", timeoutMs });
    const one = container.logs({ follow: true, deadline: new Date(Date.now() + timeoutMs) });
    for (const logs of [forever, one, pod.logs({ follow: true, timeoutMs })]) {
      const lines: string[] = [];
      const read = async () => {
        for await (const { text } of logs) lines.push(text);
      };
      expect(await rejection(read())).toMatchObject({ code: "DEADLINE_EXCEEDED" });
      if (logs !== one) expect(lines).toEqual(["one"]);
    }
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("continue after their positions in a new process, without lost or repeated lines", async () => {
    const { cri, pod, run, write } = await podWithLogs();
    const containers = [await run("a"), await run("b")];
    const written: string[] = [];
    const writeTo = async (container: OwnedContainer, content: string) => {
      await write(container, line(content, written.length % 60));
      written.push(content);
    };
    const positions: Record<string, string> = {};
    const shipped: string[] = [];
    const missed: string[] = [];
    /** Reads this many lines and then stops abruptly. */
    const ship = async (count: number) => {
      const onMissed = (_: CriError, id: string) => missed.push(id);
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
    expect(missed).toContain(brief.id);
    const refused = (options: object) => () => cri.logs({}, options);
    expect(refused({ after: { x: "nonsense" } })).toThrow(/after/);
    expect(refused({ after: "nonsense" })).toThrow(/after/);
    expect(refused({ after: {}, tailLines: 1 })).toThrow(/tailLines/);
  });

  test('with follow: "forever" reject when their signal aborts or the client is closed', async () => {
    const { cri } = await podWithLogs();
    const signal = AbortSignal.timeout(100);
    expect(await rejection(readLines(cri.logs({}, { follow: "forever", signal })))).toBe(signal.reason);
    const followed = rejection(readLines(cri.logs({}, { follow: "forever" })));
    await sleep(100);
    await cri.close();
    expect(await followed).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("reject invalid options before any call", async () => {
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
    expect(wrong({ podNamespace: "" })).toThrow(/query\.podNamespace/);
    expect(wrong({ container: 5 })).toThrow(/query\.container/);
    expect(wrong({ container: "" })).toThrow(/query\.container/);
    expect(wrong(null)).toThrow(/query/);
    expect(runtime.calls).toEqual([]);
  });

  test('contain bytes with encoding: "buffer"', async () => {
    const { cri, pod, run, write } = await podWithLogs();
    await write(await run("a"), line("a1", 1), line("a3", 3));
    await write(await run("b"), line("b2", 2));
    for (const logs of [pod.logs({ encoding: "buffer" }), cri.logs({}, { encoding: "buffer" })]) {
      const entries: string[] = [];
      for await (const { bytes, container } of logs) entries.push(`${container} ${Buffer.from(bytes)}`);
      expect(entries).toEqual(["a a1", "b b2", "a a3"]);
    }
  });

  test("cause no unhandled rejection when the loop ends at their last line", async () => {
    const { pod, run, write } = await podWithLogs();
    for (let index = 0; index < 20; index++) await write(await run(`c${index}`), line("one"));
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    onTestFinished(() => void process.off("unhandledRejection", listener));
    let count = 0;
    for await (const _ of pod.logs({ follow: true })) if (++count === 20) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unhandled).toEqual([]);
  });
});
