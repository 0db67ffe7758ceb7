/**
 * Finds, freezes and thaws the process of a containerd of the lab.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contentOf } from "../lab/files.js";
import { processIds } from "../lab/processes.js";
import { eventually } from "./expectations.js";

/** Returns the process id of the containerd that serves an endpoint of the lab. Throws if there is none. */
export function containerdPid(endpoint: string): number {
  const config = join(dirname(endpoint.replace(/^unix:\/\//, "")), "config.toml");
  for (const pid of processIds()) {
    const args = contentOf(`/proc/${pid}/cmdline`).split("\0");
    if (args[0]?.endsWith("/containerd") && args.includes(config)) return pid;
  }
  throw new Error(`no process serves ${endpoint}`);
}

/**
 * Stops a process with SIGSTOP until `thaw()` is called or the result is disposed of. Resolves when all its threads are stopped.
 *
 * The parent process `nsenter` stops itself together with its child, so it must be continued as well.
 */
export async function freeze(pid: number): Promise<{ thaw(): void } & Disposable> {
  const parent = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const hasNsenter = readFileSync(`/proc/${parent}/comm`, "utf8").trim() === "nsenter";
  const all = hasNsenter ? [pid, parent] : [pid];
  await eventually(
    () => {
      // Sends the signal again, because an nsenter that was just continued may still send SIGCONT to its child.
      process.kill(pid, "SIGSTOP");
      return all.flatMap(threadStates);
    },
    (states) => states.every((state) => state === "T"),
  );
  const thaw = () => {
    for (const one of all) process.kill(one, "SIGCONT");
  };
  return { thaw, [Symbol.dispose]: thaw };
}

function threadStates(pid: number): (string | undefined)[] {
  return readdirSync(`/proc/${pid}/task`).map(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").replace(/^.*\) /, "")[0],
  );
}
