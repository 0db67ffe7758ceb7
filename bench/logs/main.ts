/**
 * Measures reading, tailing and following logs, compared with the reader of crictl and the kubelet.
 *
 * @module
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { run } from "../../test/runtime/lab/command.js";
import { interleave, type Score } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { median } from "../support/statistics.js";
import { table } from "../support/table.js";
import { GoReader } from "./go-reader.js";
import { Follower } from "./many.js";
import { cat, NodeReader, type ReadResult, wc } from "./readers.js";

export const help = `Measures reading, tailing and following CRI logs, compared with k8s.io/cri-client, the reader of crictl and the kubelet.

Usage: npm run bench -- logs [options]

  --mib <n>      size of the log, which is written to the folder for temporary files; default 1024
  --rounds <n>   measurements of each reader; default 5
  --lines <n>    lines to follow, one every 4 ms; default 1000
  --logs <n>     logs to follow at once, which get ten lines each, one every millisecond in all; default 1000
  --no-go        does not build the Go reader; the first build takes minutes and needs the network

MB are millions of bytes of the file. Each measurement runs in a new process, whose start is not included. Memory is the peak of the
process, including Node.js. Our reader creates an object with timestamp, stream and text for each line. The Go reader copies the
content of lines to a writer. "readline" splits lines with node:readline and a regular expression, without joining, filtering or
checking. cat and wc -l show what the machine allows. "First call" is the first call in a process, which also compiles the code.
Delay is the time from just before a line is written until the reader has it.`;

const line = " stdout F GET /v1/items/4711?expand=all 200 18ms the quick brown fox jumps over the lazy dog\n";

export async function main(args: string[]): Promise<void> {
  const defaults = { mib: 1024, rounds: 5, lines: 1000, logs: 1000, "no-go": false };
  const { mib, rounds, lines, logs, ...options } = parseOptions(args, defaults);
  const go = options["no-go"] ? undefined : await goReader();
  const folder = await mkdtemp(join(tmpdir(), "bench-logs-"));
  try {
    const path = join(folder, "0.log");
    const count = await writeLog(path, mib);
    const { size } = await stat(path);
    console.log(`Node.js ${process.version}, ${mib} MiB in ${count} lines, ${rounds} rounds`);
    await reading(path, size, count, rounds, go);
    await tailing(path, rounds, go);
    await following(join(folder, "live.log"), lines, go);
    await followingMany(logs, go !== undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (!go) console.log("\n!!! WITHOUT THE GO READER: no comparison with crictl and the kubelet.");
}

async function reading(path: string, size: number, count: number, rounds: number, go: GoReader | undefined) {
  const complete = (name: string, read: () => Promise<ReadResult>) => ({
    name,
    run: async () => {
      const result = await read();
      if (result.lines !== count) throw new Error(`${result.lines} of ${count} lines`);
      return result;
    },
  });
  const scores = await interleave(
    [
      complete("ours, line by line", () => new NodeReader("items").read(path)),
      complete("ours, in batches", () => new NodeReader("batches").read(path)),
      complete("ours, bytes in batches", () => new NodeReader("bytes").read(path)),
      ...(go ? [complete("cri-client (Go)", () => go.read(path))] : []),
      complete("node:readline", () => new NodeReader("readline").read(path)),
      complete("wc -l", () => wc(path)),
      complete("cat", async () => ({ ...(await cat(path)), lines: count })),
    ],
    rounds,
  );
  printFailures(scores);
  const rows = scores.map(({ name, results }) => [
    name,
    show(median(results.map(({ seconds }) => size / seconds / 1e6))),
    show(Math.max(...results.map(({ seconds }) => size / seconds / 1e6))),
    show(median(results.map(({ cpuSeconds = Number.NaN }) => (cpuSeconds / size) * 1e9)), 2),
    show(median(results.map(({ maxRssBytes = Number.NaN }) => maxRssBytes / 1e6))),
  ]);
  console.log(`\n${table(["read", "median MB/s", "best MB/s", "CPU s/GB", "memory MB"], rows)}`);
}

async function tailing(path: string, rounds: number, go: GoReader | undefined) {
  const rows: string[][] = [];
  for (const tailLines of [10, 10_000]) {
    const scores = await interleave(
      [
        { name: "ours, first call", run: () => new NodeReader("items").tail(path, tailLines, 1) },
        { name: "ours, later calls", run: () => new NodeReader("items").tail(path, tailLines, 20) },
        ...(go ? [{ name: "cri-client (Go)", run: () => go.read(path, tailLines) }] : []),
      ],
      rounds,
    );
    printFailures(scores);
    for (const { name, results } of scores) {
      const milliseconds = results.map(({ seconds }) => seconds * 1_000);
      rows.push([`${tailLines} lines`, name, show(median(milliseconds), 1), show(Math.min(...milliseconds), 1)]);
    }
  }
  console.log(`\n${table(["tail", "reader", "median ms", "best ms"], rows)}`);
}

async function following(path: string, lines: number, go: GoReader | undefined) {
  const followers = [
    { name: "ours", follow: () => new NodeReader("follow").follow(path, lines) },
    ...(go ? [{ name: "cri-client (Go)", follow: async () => (await go.follow(path, lines)).delaysMs ?? [] }] : []),
  ];
  const rows: string[][] = [];
  for (const { name, follow } of followers) {
    await writeFile(path, "");
    const following = follow();
    // The reader must have started before the first line is written.
    await sleep(2_000);
    const writer = new Worker(new URL("./writer.mjs", import.meta.url), { workerData: { path, lines } });
    const [delays] = await Promise.all([following, once(writer, "exit")]);
    const sorted = delays.sort((left, right) => left - right);
    const at = (part: number) => show(sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN, 2);
    rows.push([name, String(sorted.length), at(0.5), at(0.99), at(1)]);
  }
  console.log(`\n${table(["follow", "lines", "delay p50 ms", "p99", "max"], rows)}`);
}

async function followingMany(logs: number, withGo: boolean) {
  const followers = [await Follower.ours(), ...(withGo ? [await Follower.go()] : [])];
  const rows: string[][] = [];
  for (const follower of followers) {
    const lines = 10 * logs;
    const { idlePercent, busyPercent, rssBytes, delaysMs } = await follower.run(logs, lines);
    if (delaysMs.length !== lines) console.log(`!!! ${follower.name}: ${delaysMs.length} of ${lines} lines`);
    const sorted = delaysMs.sort((left, right) => left - right);
    const at = (part: number) => show(sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN, 2);
    rows.push([
      follower.name,
      show(idlePercent, 2),
      show(busyPercent, 1),
      show(rssBytes / 1e6),
      at(0.5),
      at(0.99),
      at(1),
    ]);
  }
  const cpu = ["idle CPU, % of a core", "busy CPU, % of a core"];
  console.log(`\n${table([`${logs} logs`, ...cpu, "memory MB", "delay p50 ms", "p99", "max"], rows)}`);
}

/** Writes a log of `mib` MiB. Resolves with the number of lines. */
async function writeLog(path: string, mib: number): Promise<number> {
  const file = createWriteStream(path);
  let count = 0;
  for (let written = 0; written < mib * 2 ** 20; ) {
    const chunk = Array.from({ length: 8_192 }, () => {
      const time = new Date(1_795_413_300_000 + count / 1_000).toISOString().slice(0, 20);
      const text = `${time}${String(count % 1e9).padStart(9, "0")}Z${count % 10 === 0 ? line.replace("stdout", "stderr") : line}`;
      count++;
      return text;
    }).join("");
    written += chunk.length;
    if (!file.write(chunk)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  // The disk must be idle when the first reader starts.
  await run("sync", [path], { timeoutMs: 600_000 });
  return count;
}

async function goReader(): Promise<GoReader | undefined> {
  try {
    return await GoReader.build();
  } catch (error) {
    console.log(`!!! THE GO READER CANNOT BE BUILT, the benchmark continues without it: ${(error as Error).message}`);
    return undefined;
  }
}

function printFailures(scores: readonly Score<unknown>[]): void {
  for (const { name, failures } of scores) for (const failure of failures) console.log(`!!! ${name}: ${failure}`);
}

function show(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
