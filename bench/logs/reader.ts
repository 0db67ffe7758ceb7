/**
 * Reads a log and prints the time, CPU time and memory as JSON. Reads REPEAT times and prints the last one.
 *
 *     node --import tsx reader.ts items|batches|bytes|readline PATH [TAIL REPEAT]
 *     node --import tsx reader.ts follow PATH LINES
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { readLogFile } from "../../src/logs/read-log-file.js";

const [mode, path = "", number, repeat = "1"] = process.argv.slice(2);
const tail = number === undefined ? {} : { tailLines: Number(number) };

const readers = {
  async items() {
    let lines = 0;
    for await (const { text } of readLogFile(path, tail)) if (text.length >= 0) lines++;
    return lines;
  },
  async batches() {
    let lines = 0;
    for await (const batch of readLogFile(path, tail).batches()) lines += batch.length;
    return lines;
  },
  async bytes() {
    let lines = 0;
    for await (const batch of readLogFile(path, { ...tail, encoding: "buffer" }).batches()) lines += batch.length;
    return lines;
  },
  async readline() {
    let lines = 0;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const [, timestamp, stream, tag, text] = /^(\S+) (stdout|stderr) (\S+) (.*)$/.exec(line) ?? [];
      const entry = { timestamp, stream, partial: tag === "P", text };
      if (entry.text !== undefined) lines++;
    }
    return lines;
  },
};

if (mode === "follow") {
  const delays: number[] = [];
  for await (const { text } of readLogFile(path, { follow: true })) {
    delays.push(performance.timeOrigin + performance.now() - Number(text));
    if (delays.length === Number(number)) break;
  }
  console.log(JSON.stringify(delays));
} else {
  for (let round = 1; round < Number(repeat); round++) await readers[mode as keyof typeof readers]();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const lines = await readers[mode as keyof typeof readers]();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const maxRssBytes = process.resourceUsage().maxRSS * 1_024;
  console.log(JSON.stringify({ lines, seconds, cpuSeconds: (user + system) / 1e6, maxRssBytes }));
}
