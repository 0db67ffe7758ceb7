/**
 * Follows many logs at once, each in a folder of its own as on a node: idle, and while lines are written.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { buildGo } from "../../test/runtime/lab/go.js";
import { compileProgram, inRoot } from "../support/build.js";
import { type Cost, costOf, percentOfCore } from "../support/cost.js";
import { criClientPackages } from "../support/cri-client.js";

/** The cost and the delays of one follower. */
export interface ManyResult {
  idlePercent: number;
  busyPercent: number;
  rssBytes: number;
  delaysMs: number[];
}

/** How long a follower is observed while nothing is written. */
const idleMs = 20_000;

export class Follower {
  private constructor(
    readonly name: string,
    private readonly command: readonly string[],
  ) {}

  static async ours(): Promise<Follower> {
    const outfile = await compileProgram("bench/logs/node-follower.ts", "follower.js");
    return new Follower("ours", [process.execPath, outfile]);
  }

  static async go(): Promise<Follower> {
    const program = await buildGo(inRoot("bench/logs/go-follower/main.go"), criClientPackages);
    return new Follower("fsnotify (Go)", [program]);
  }

  /** Follows `logs` logs, of which all together get `lines` lines, one every millisecond. */
  async run(logs: number, lines: number): Promise<ManyResult> {
    const folder = await mkdtemp(join(tmpdir(), "bench-logs-"));
    const [program = "", ...args] = this.command;
    let child: ChildProcessWithoutNullStreams | undefined;
    try {
      const paths = Array.from({ length: logs }, (_, index) => join(folder, String(index), "0.log"));
      for (const path of paths) {
        await mkdir(join(path, ".."));
        await writeFile(path, "");
      }
      child = spawn(program, [...args, folder, String(logs)], { stdio: ["pipe", "pipe", "pipe"] });
      child.stderr.pipe(process.stderr, { end: false });
      const { pid = 0 } = child;
      const isReady = (data: Buffer) => data.toString().trim() === "ready";
      const ended = once(child, "exit").then(() => Promise.reject(new Error(`${this.name} has ended`)));
      const [data] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
      if (!isReady(data)) throw new Error(`${this.name} said ${data}`);
      ended.catch(() => {});
      // Compiled code and collected garbage of the start do not count.
      await sleep(2_000);
      const costs: Cost[] = [await costOf(pid)];
      await sleep(idleMs);
      costs.push(await costOf(pid));
      const workerData = { paths, lines };
      await once(new Worker(new URL("./writer-of-many.mjs", import.meta.url), { workerData }), "exit");
      await sleep(500);
      costs.push(await costOf(pid));
      const delays = text(child.stdout);
      child.stdin.end();
      const [idleFrom, idleTo, busyTo] = costs as [Cost, Cost, Cost];
      return {
        idlePercent: percentOfCore(idleFrom, idleTo),
        busyPercent: percentOfCore(idleTo, busyTo),
        rssBytes: busyTo.rssBytes,
        delaysMs: JSON.parse(await delays),
      };
    } finally {
      child?.kill();
      await rm(folder, { recursive: true, force: true });
    }
  }
}
