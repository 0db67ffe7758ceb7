/** Copies with this package, and as `kubectl cp` copies. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import { clientGoPackages } from "../support/client-go.js";
import type { Stage } from "./stage.js";

/** The cost of one copy to the client. */
export interface Cost {
  seconds: number;
  cpuSeconds: number;
}

/** A client that copies files or folders. */
export interface Copier {
  /** Copies a path of this machine to a new name in the container's folder. */
  copyTo(from: string, name: string): Promise<Cost>;
  /** Copies what has a name in the container's folder to a new path of this machine. */
  copyFrom(name: string, to: string): Promise<Cost>;
}

const folder = "/inside";

/** This package, in this process. */
export function ours({ container }: Stage): Copier {
  return {
    copyTo: (from, name) => costOf(() => container.copyTo(from, `${folder}/${name}`)),
    copyFrom: (name, to) => costOf(() => container.copyFrom(`${folder}/${name}`, to)),
  };
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
}

export const buildGoCopier = () =>
  buildGo(fileURLToPath(new URL("go-copier/main.go", import.meta.url)), clientGoPackages);

/** The Go program, in a new process for each copy. */
export function kubectl(stage: Stage, program: string): Copier {
  const start = async (...args: string[]) => JSON.parse(await run(program, args, { timeoutMs: 600_000 })) as Cost;
  return {
    copyTo: async (from, name) => {
      const test = await stage.execUrl(["test", "-d", `${folder}/${name}`], false);
      return await start("to", from, name, await stage.execUrl(["tar", "-xmf", "-", "-C", folder], true), test);
    },
    copyFrom: async (name, to) =>
      start("from", to, name, await stage.execUrl(["tar", "cf", "-", "-C", folder, name], false)),
  };
}
