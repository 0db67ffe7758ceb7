/** Reading, following and merging the logs of containers. */
import { truncate } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import type { CriError } from "../../src/index.js";
import { thorough } from "../support/thorough.js";
import { eventually, expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { type Fixture, journeys, sh } from "./helpers/journeys.js";

/** The size of the rotation test. With `CRI_TEST_THOROUGH=1`, it takes a minute on each runtime. */
const [lineCount, rotations] = thorough ? [200_000, 20] : [20_000, 5];

/** Runs a pod with a log directory. Disposing of the result removes the pod and then the directory. */
async function podWithLogs(fixture: Fixture) {
  const logs = await folder();
  const pod = await fixture.hostNetworkPod({ logDirectory: logs.path });
  const dispose = async () => {
    try {
      await pod[Symbol.asyncDispose]();
    } finally {
      await logs[Symbol.asyncDispose]();
    }
  };
  return { pod, logs, [Symbol.asyncDispose]: dispose };
}

async function readLines(entries: AsyncIterable<{ text: string }>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of entries) lines.push(text);
  return lines;
}

journeys("logs", (fixture) => {
  test("reads both streams with long lines joined, and obeys tailLines, since, limitBytes and partial", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
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
    expect(await readLines(container.logs({ tailLines: 2, streams: ["stdout"] }))).toEqual(["ünïcode", "unfinished"]);
    expect(await readLines(container.logs({ streams: ["stderr"] }))).toEqual(["two"]);
    expect(await readLines(container.logs({ since: new Date(Date.now() + 60_000) }))).toEqual([]);
    expect(await readLines(container.logs({ limitBytes: 3, streams: ["stdout"] }))).toEqual(["one"]);
    const parts = await readLines(container.logs({ partial: "separate", streams: ["stdout"] }));
    expect(parts.length).toBeGreaterThan(stdout.length);
    expect(parts.join("")).toBe(stdout.map(({ text }) => text).join(""));
  });

  // Docker cannot reopen a log. It registers no test, rather than a skipped one.
  test.each(fixture.traits.logFormat === "cri" ? [[]] : [])(
    "following loses nothing while the log is rotated, and ends with the container",
    async () => {
      await using setUp = await podWithLogs(fixture);
      const { pod } = setUp;
      const perRound = lineCount / rotations;
      const write = `i=0; while [ $i -lt ${lineCount} ]; do seq $((i+1)) $((i+${perRound})); i=$((i+${perRound})); sleep 0.2; done`;
      await using at = await folder();
      const command = sh(`${write}; until [ -e done ]; do sleep 0.05; done; exit 3`);
      await using container = await fixture.container(pod, { ...at.inside, command });
      const followed = readLines(container.logs({ follow: true }));
      for (let round = 0; round < rotations; round++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        await container.rotateLog();
      }
      await container.execSync(["touch", "done"]);
      const lines = await followed;
      const wrong = lines.findIndex((line, index) => Number(line) !== index + 1);
      expect([lines.length, wrong, lines[wrong]]).toEqual([lineCount, -1, undefined]);
      expect(await readLines(container.logs({ rotated: true }))).toEqual(lines);
    },
  );

  test("following continues after the log is truncated", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
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

  test("reads the log of the previous attempt, waits for a start, and rejects if there is no log", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
    await using created = await pod.createContainer(fixture.containerSpec({ command: sh("echo started") }));
    await expectCode(readLines(created.logs()), "FAILED_PRECONDITION");
    const waiting = readLines(created.logs({ follow: true, waitForStart: true }));
    await created.start();
    expect(await waiting).toEqual(["started"]);
    await expectCode(readLines(created.logs({ previous: true })), "NOT_FOUND");
    await using next = await created.restart();
    await next.wait();
    const previous = readLines(next.logs({ previous: true }));
    if (fixture.traits.logOutlivesContainer) expect(await previous).toEqual(["started"]);
    else await expectCode(previous, "NOT_FOUND");
    await using silent = await fixture.container(await fixture.sharedPod());
    if (fixture.traits.logsWithoutDirectory) expect(await readLines(silent.logs())).toEqual([]);
    else {
      await expectCode(readLines(silent.logs()), "FAILED_PRECONDITION");
      await expectCode(silent.rotateLog(), "FAILED_PRECONDITION");
    }
    await expectCode(readLines(fixture.cri.containers.get("0123456789ab").logs()), "NOT_FOUND");
    await expectCode(readLines(next.logs({ localPath: (path) => join("/no/such/node", path) })), "NOT_FOUND");
  });

  test("refuses named pipes that a container creates in place of logs, and reads the other logs", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod, logs } = setUp;
    const replaced = await Promise.all(
      [1, 2, 3, 4].map(() => fixture.container(pod, { command: sh("echo here; sleep 1000") })),
    );
    // This container mounts the log directory.
    const attacker = await fixture.container(pod, { ...logs.inside, command: sh("echo attacker; sleep 1000") });
    const paths = await Promise.all(replaced.map(async (container) => (await container.status()).logPath));
    const names = paths.map((path) => relative(logs.path, path)).join(" ");
    await attacker.execSync(sh(`for log in ${names}; do rm $log && mkfifo $log || exit 1; done`), {
      throwOnNonZero: true,
    });
    // Opening a named pipe would block one of the four threads that Node.js has for files.
    await Promise.all(replaced.map((container) => expectCode(readLines(container.logs()), "FAILED_PRECONDITION")));
    const missed: string[] = [];
    const onMissed = ({ code }: CriError) => missed.push(code);
    expect(await readLines(pod.logs({ onMissed }))).toEqual(["attacker"]);
    expect(missed).toEqual(Array(4).fill("FAILED_PRECONDITION"));
  });

  test("break, close() and abort end a log that is followed", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
    await using container = await fixture.container(pod, { command: sh("echo here; sleep 1000") });
    for await (const { text } of container.logs({ follow: true })) {
      expect(text).toBe("here");
      break;
    }
    const controller = new AbortController();
    const aborted = readLines(container.logs({ follow: true, signal: controller.signal }));
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(aborted).rejects.toThrow("enough");
    const closed = container.logs({ follow: true });
    const lines: string[] = [];
    for await (const { text } of closed) {
      lines.push(text);
      setTimeout(() => void closed.close(), 100);
    }
    expect(lines).toEqual(["here"]);
  });

  test("merges a pod's logs by time, names the container of each line, and follows containers that start later", async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
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
    expect(await readLines(pod.logs({ container: "late" }))).toEqual(["late"]);
    expect(await readLines(fixture.cri.logs({ pod, container: "late" }, { tailLines: 1 }))).toEqual(["late"]);
    expect(await readLines(fixture.cri.logs({ pod, podLabels: { no: "such" } }))).toEqual([]);
  });

  test('follow: "forever" continues with later attempts and containers; follow: true ends with the container', async () => {
    await using setUp = await podWithLogs(fixture);
    const { pod } = setUp;
    const stream = fixture.cri.logs({ pod }, { follow: "forever" });
    const lines: string[] = [];
    const followed = (async () => {
      for await (const { container, attempt, text } of stream) lines.push(`${container} ${attempt} ${text}`);
    })();
    const read = (count: number) =>
      eventually(
        () => lines.length,
        (length) => length === count,
      );
    await using first = await fixture.container(pod, { name: "main", command: sh("echo hello; sleep 1000") });
    await read(1);
    let endedAt = 0;
    const plain = readLines(first.logs({ follow: true })).finally(() => {
      endedAt = performance.now();
    });
    const exit = first.wait();
    await first.stop({ gracePeriodSeconds: 0 });
    await exit;
    const exitedAt = performance.now();
    expect(await plain).toEqual(["hello"]);
    console.log(`${fixture.runtime.name}: follow ended ${Math.round(endedAt - exitedAt)} ms after wait() resolved`);
    await using second = await first.restart();
    await read(2);
    await using side = await fixture.container(pod, { name: "side", command: sh("echo there") });
    await side.wait();
    await read(3);
    await stream.close();
    await followed;
    await second.stop({ gracePeriodSeconds: 0 });
    expect(lines).toEqual(["main 0 hello", "main 1 hello", "side 0 there"]);
  });
});
