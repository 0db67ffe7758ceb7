/**
 * The process of a lab's runtime, to be stopped in its tracks and let go again.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "./expecting.js";

/** The process id of the containerd behind an endpoint of the lab. */
export function processOf(endpoint: string): number {
  const config = join(dirname(endpoint.replace(/^unix:\/\//, "")), "config.toml");
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    let words: string[];
    try {
      words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
    } catch {
      continue; // gone meanwhile
    }
    if (words[0]?.endsWith("/containerd") && words.includes(config)) return Number(entry);
  }
  throw new Error(`no process serves ${endpoint}`);
}

/** Stops a process for the time of a block: it neither runs nor ends. Resolves when all its threads have come to rest. */
export async function freeze(pid: number): Promise<{ thaw(): void } & Disposable> {
  process.kill(pid, "SIGSTOP");
  const stateOf = (thread: string) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").replace(/^.*\) /, "")[0];
  await eventually(
    () => readdirSync(`/proc/${pid}/task`).map(stateOf),
    (states) => states.every((state) => state === "T"),
  );
  const thaw = () => void process.kill(pid, "SIGCONT");
  return { thaw, [Symbol.dispose]: thaw };
}
