/** Logs of real containers: read, followed through rotations, merged. */
import { truncate } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import type { CriError } from "../../src/index.js";
import { thorough } from "../support/thorough.js";
import { eventually, expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { type Fixture, journeys, sh } from "./helpers/journeys.js";

/** The issue's own scale takes a minute per runtime. */
const [lines, rotations] = thorough ? [200_000, 20] : [20_000, 5];

async function podWithLogs(fixture: Fixture) {
  const logs = await folder();
  return { logs, pod: await fixture.hostNetworkPod({ logDirectory: logs.path }) };
}

async function textsOf(entries: AsyncIterable<{ text: string }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of entries) texts.push(text);
  return texts;
}

journeys("logs", (fixture) => {
  test("what a container wrote: streams apart, long lines whole, the last lines, since, bytes", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    const command = sh(
      "echo one; echo two >&2; head -c 100000 /dev/zero | tr '\\0' x; echo; echo ünïcode; printf unfinished",
    );
    await using container = await fixture.container(pod, { command });
    await container.wait();
    const all: { stream: string; partial: boolean; text: string; timestamp: string }[] = [];
    for await (const entry of container.logs()) all.push(entry);
    const stdout = all.filter(({ stream }) => stream === "stdout");
    expect(stdout.map(({ text }) => text)).toEqual(["one", "x".repeat(100_000), "ünïcode", "unfinished"]);
    expect(all.filter(({ stream }) => stream === "stderr").map(({ text }) => text)).toEqual(["two"]);
    expect(
      all.every(({ timestamp }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)$/.test(timestamp)),
    ).toBe(true);
    expect(await textsOf(container.logs({ tailLines: 2, streams: ["stdout"] }))).toEqual(["ünïcode", "unfinished"]);
    expect(await textsOf(container.logs({ streams: ["stderr"] }))).toEqual(["two"]);
    expect(await textsOf(container.logs({ since: new Date(Date.now() + 60_000) }))).toEqual([]);
    expect(await textsOf(container.logs({ limitBytes: 3, streams: ["stdout"] }))).toEqual(["one"]);
    const parts = await textsOf(container.logs({ partial: "separate", streams: ["stdout"] }));
    expect(parts.length).toBeGreaterThan(stdout.length);
    expect(parts.join("")).toBe(stdout.map(({ text }) => text).join(""));
  });

  // Docker cannot reopen a log. It has no such test, rather than a skipped one.
  test.each(fixture.traits.logFormat === "cri" ? [[]] : [])(
    "following loses nothing while the log is rotated, and ends with the container",
    async () => {
      const { pod, logs } = await podWithLogs(fixture);
      await using _logs = logs;
      await using _pod = pod;
      const perRound = lines / rotations;
      const write = `i=0; while [ $i -lt ${lines} ]; do seq $((i+1)) $((i+${perRound})); i=$((i+${perRound})); sleep 0.2; done`;
      await using at = await folder();
      const command = sh(`${write}; until [ -e done ]; do sleep 0.05; done; exit 3`);
      await using container = await fixture.container(pod, { ...at.inside, command });
      const followed = textsOf(container.logs({ follow: true }));
      for (let round = 0; round < rotations; round++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        await container.rotateLog();
      }
      await container.execSync(["touch", "done"]);
      const texts = await followed;
      const wrong = texts.findIndex((text, index) => Number(text) !== index + 1);
      expect([texts.length, wrong, texts[wrong]]).toEqual([lines, -1, undefined]);
      expect(await textsOf(container.logs({ rotated: true }))).toEqual(texts);
    },
  );

  test("following goes on after a truncation of what has been read", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    await using at = await folder();
    const command = sh("for i in 1 2 3 4; do seq 1 500; while [ ! -e go$i ]; do sleep 0.05; done; done");
    await using container = await fixture.container(pod, { ...at.inside, command });
    const { logPath } = await container.status();
    let count = 0;
    const followed = (async () => {
      for await (const { text } of container.logs({ follow: true })) {
        expect(Number(text)).toBe((count % 500) + 1);
        count++;
      }
    })();
    for (let round = 1; round <= 4; round++) {
      await eventually(
        () => count,
        (read) => read === 500 * round,
      );
      await truncate(logPath);
      await container.execSync(["touch", `go${round}`]);
    }
    await followed;
    expect(count).toBe(2_000);
  });

  test("a container that is yet to be started, one before this one, one without a log, one that is gone", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    await using created = await pod.createContainer(fixture.containerSpec({ command: sh("echo started") }));
    await expectCode(textsOf(created.logs()), "FAILED_PRECONDITION");
    const waiting = textsOf(created.logs({ follow: true, waitForStart: true }));
    await created.start();
    expect(await waiting).toEqual(["started"]);
    await expectCode(textsOf(created.logs({ previous: true })), "NOT_FOUND");
    await using next = await created.restart();
    await next.wait();
    const previous = textsOf(next.logs({ previous: true }));
    if (fixture.traits.logOutlivesContainer) expect(await previous).toEqual(["started"]);
    else await expectCode(previous, "NOT_FOUND");
    await using silent = await fixture.container(await fixture.sharedPod());
    if (fixture.traits.logsWithoutDirectory) expect(await textsOf(silent.logs())).toEqual([]);
    else {
      await expectCode(textsOf(silent.logs()), "FAILED_PRECONDITION");
      await expectCode(silent.rotateLog(), "FAILED_PRECONDITION");
    }
    await expectCode(textsOf(fixture.cri.containers.get("0123456789ab").logs()), "NOT_FOUND");
    await expectCode(textsOf(next.logs({ localPath: (path) => join("/no/such/node", path) })), "NOT_FOUND");
  });

  test("named pipes that a container puts in the place of logs are refused, and the other logs are read", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    const replaced = await Promise.all(
      [1, 2, 3, 4].map(() => fixture.container(pod, { command: sh("echo here; sleep 1000") })),
    );
    // The log directory is a volume of this one.
    const attacker = await fixture.container(pod, { ...logs.inside, command: sh("echo attacker; sleep 1000") });
    const paths = await Promise.all(replaced.map(async (container) => (await container.status()).logPath));
    const names = paths.map((path) => relative(logs.path, path)).join(" ");
    await attacker.execSync(sh(`for log in ${names}; do rm $log && mkfifo $log || exit 1; done`), {
      throwOnNonZero: true,
    });
    // Each would hold one of the four threads that Node.js has for files.
    await Promise.all(replaced.map((container) => expectCode(textsOf(container.logs()), "FAILED_PRECONDITION")));
    const missed: string[] = [];
    const onMissed = ({ code }: CriError) => missed.push(code);
    expect(await textsOf(pod.logs({ onMissed }))).toEqual(["attacker"]);
    expect(missed).toEqual(Array(4).fill("FAILED_PRECONDITION"));
  });

  test("leaving the loop, closing and aborting end a stream that follows", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    await using container = await fixture.container(pod, { command: sh("echo here; sleep 1000") });
    for await (const { text } of container.logs({ follow: true })) {
      expect(text).toBe("here");
      break;
    }
    const controller = new AbortController();
    const aborted = textsOf(container.logs({ follow: true, signal: controller.signal }));
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(aborted).rejects.toThrow("enough");
    const closed = container.logs({ follow: true });
    const texts: string[] = [];
    for await (const { text } of closed) {
      texts.push(text);
      setTimeout(() => void closed.close(), 100);
    }
    expect(texts).toEqual(["here"]);
  });

  test("a pod's logs in the order of time, each line with its container, followed into later containers", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    const count = (from: number) =>
      sh(`i=${from}; while [ $i -lt 40 ]; do echo $i; i=$((i+2)); sleep 0.02; done; sleep 1`);
    await using even = await fixture.container(pod, { command: count(0), name: "even" });
    await using odd = await fixture.container(pod, { command: count(1), name: "odd" });
    const entries: { container: string; text: string; timestamp: string }[] = [];
    const followed = (async () => {
      for await (const entry of pod.logs({ follow: true })) entries.push(entry);
    })();
    await using late = await fixture.container(pod, { command: sh("echo late"), name: "late" });
    await Promise.all([even.wait(), odd.wait(), late.wait()]);
    await followed;
    expect(entries).toHaveLength(41);
    for (const name of ["even", "odd", "late"]) {
      const own = entries.filter(({ container }) => container === name).map(({ timestamp }) => timestamp);
      expect(own).toEqual([...own].sort());
    }
    const merged: string[] = [];
    for await (const { timestamp } of pod.logs()) merged.push(timestamp);
    expect(merged).toHaveLength(41);
    expect(merged).toEqual([...merged].sort());
    expect(await textsOf(pod.logs({ container: "late" }))).toEqual(["late"]);
    expect(await textsOf(fixture.cri.logs({ pod, container: "late" }, { tailLines: 1 }))).toEqual(["late"]);
    expect(await textsOf(fixture.cri.logs({ pod, podLabels: { no: "such" } }))).toEqual([]);
  });

  test("followed for ever, a pod's logs go on with later attempts and containers; a plain follow ends with the exit", async () => {
    const { pod, logs } = await podWithLogs(fixture);
    await using _logs = logs;
    await using _pod = pod;
    const stream = fixture.cri.logs({ pod }, { follow: "forever" });
    const texts: string[] = [];
    const followed = (async () => {
      for await (const { container, attempt, text } of stream) texts.push(`${container} ${attempt} ${text}`);
    })();
    const read = (count: number) =>
      eventually(
        () => texts.length,
        (length) => length === count,
      );
    await using first = await fixture.container(pod, { name: "main", command: sh("echo hello; sleep 1000") });
    await read(1);
    let endedAt = 0;
    const plain = textsOf(first.logs({ follow: true })).finally(() => {
      endedAt = performance.now();
    });
    const exit = first.wait();
    await first.stop({ gracePeriodSeconds: 0 });
    await exit;
    const exitedAt = performance.now();
    expect(await plain).toEqual(["hello"]);
    console.log(`${fixture.runtime.name}: a follow ended ${Math.round(endedAt - exitedAt)} ms after the wait`);
    await using second = await first.restart();
    await read(2);
    await using side = await fixture.container(pod, { name: "side", command: sh("echo there") });
    await side.wait();
    await read(3);
    await stream.close();
    await followed;
    await second.stop({ gracePeriodSeconds: 0 });
    expect(texts).toEqual(["main 0 hello", "main 1 hello", "side 0 there"]);
  });
});
