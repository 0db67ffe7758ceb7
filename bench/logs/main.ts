/**
 * How fast logs are read, tailed and followed, beside the reader of crictl and the kubelet.
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
import { cat, NodeReader, type ReadResult, wc } from "./readers.js";

export const help = `Reading, tailing and following CRI logs, beside k8s.io/cri-client, which crictl and the kubelet read with.

Usage: npm run bench -- logs [options]

  --mib <n>      size of the log, which is made in the folder for temporary files; default 1024
  --rounds <n>   readings by each; default 5
  --lines <n>    lines that are followed, one every 4 ms; default 1000
  --no-go        do not build the Go reader (the first time takes minutes and the network)

MB are millions of bytes of the file. Every reader is a process of its own for each reading; times do not include its start,
memory is the most that the process had at any time, all of Node.js included. Ours makes an object of every line: time, stream,
text. Go's copies the content of lines to a writer. "readline" splits lines with node:readline and a regular expression, without
joining, filtering or checking. cat and wc -l are what the machine allows. "At first" is the first call of a process, which
compiles the code as well. Late is the time from just before a line is written until the reader has it.`;

const line = " stdout F GET /v1/items/4711?expand=all 200 18ms the quick brown fox jumps over the lazy dog\n";

export async function main(args: string[]): Promise<void> {
  const { mib, rounds, lines, ...options } = parseOptions(args, { mib: 1024, rounds: 5, lines: 1000, "no-go": false });
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
  complain(scores);
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
        { name: "ours, at first", run: () => new NodeReader("items").tail(path, tailLines, 1) },
        { name: "ours, from then on", run: () => new NodeReader("items").tail(path, tailLines, 20) },
        ...(go ? [{ name: "cri-client (Go)", run: () => go.read(path, tailLines) }] : []),
      ],
      rounds,
    );
    complain(scores);
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
    ...(go ? [{ name: "cri-client (Go)", follow: async () => (await go.follow(path, lines)).lateMs ?? [] }] : []),
  ];
  const rows: string[][] = [];
  for (const { name, follow } of followers) {
    await writeFile(path, "");
    const following = follow();
    // The reader is to be there, and its start over.
    await sleep(2_000);
    const writer = new Worker(new URL("./writer.mjs", import.meta.url), { workerData: { path, lines } });
    const [late] = await Promise.all([following, once(writer, "exit")]);
    const sorted = late.sort((left, right) => left - right);
    const at = (part: number) => show(sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN, 2);
    rows.push([name, String(sorted.length), at(0.5), at(0.99), at(1)]);
  }
  console.log(`\n${table(["follow", "lines", "late p50 ms", "p99", "most"], rows)}`);
}

/** Makes a log of that size; resolves with the number of lines. */
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
  // What is still to be written to the disk would be in the way of the first readers.
  await run("sync", [path], { timeoutMs: 600_000 });
  return count;
}

async function goReader(): Promise<GoReader | undefined> {
  try {
    return await GoReader.build();
  } catch (error) {
    console.log(`!!! THE GO READER CANNOT BE BUILT, the measurement goes on without it: ${(error as Error).message}`);
    return undefined;
  }
}

function complain(scores: readonly Score<unknown>[]): void {
  for (const { name, failures } of scores) for (const failure of failures) console.log(`!!! ${name}: ${failure}`);
}

function show(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
