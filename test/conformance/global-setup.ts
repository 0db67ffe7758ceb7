/**
 * Starts the fakes on which the conformance project runs the journeys of test/runtime.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import type { ProvidedRuntime } from "../runtime/provided.js";
import type { FakesConfig } from "./fakes.js";
import { conformingFlavors } from "./flavors.js";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (process.platform !== "linux") {
    const skipped = `the journeys run Linux commands, but this is ${process.platform}`;
    console.warn(`\n!!! CONFORMANCE TESTS SKIPPED: ${skipped}. !!!\n`);
    project.provide("runtimes", { runtimes: [], skipped });
    return undefined;
  }
  const scratch = await mkdtemp(join(tmpdir(), "cri-fakes-"));
  const fakes = startFakes(scratch);
  const config: FakesConfig = { folder: scratch, flavors: conformingFlavors, workers: project.config.maxWorkers };
  try {
    fakes.send(config);
    const [byWorker] = (await Promise.race([once(fakes, "message"), ended(fakes)])) as [ProvidedRuntime[][]];
    project.provide("runtimes", { runtimes: [], byWorker });
    project.provide("scratch", scratch);
  } catch (error) {
    await end(fakes, scratch);
    throw error;
  }
  return () => end(fakes, scratch);
}

/**
 * Starts the process of the fakes, in its own namespaces if the kernel permits them.
 *
 * The commands of journeys are written for containers, but here they run on this machine. The table of known differences excludes
 * the harmful ones. As root, with namespaces, the others can write only to the scratch folder, and see only their own processes.
 */
function startFakes(scratch: string): ChildProcess {
  const program = [process.execPath, "--import", "tsx", path("fakes.ts")];
  const isolation = [
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "sh",
    path("isolate.sh"),
    scratch,
  ];
  const isPossible =
    process.getuid?.() === 0 && spawnSync(isolation[0] as string, [...isolation.slice(1), "true"]).status === 0;
  const [command = "", ...args] = isPossible ? [...isolation, ...program] : program;
  return spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      TMPDIR: scratch,
      PATH: [path("programs"), process.env.PATH, dirname(process.execPath)].join(delimiter),
    },
  });
}

async function ended(fakes: ChildProcess): Promise<never> {
  const [code] = await once(fakes, "exit");
  throw new Error(`the process of the fakes exited with code ${code} before the fakes were ready`);
}

async function end(fakes: ChildProcess, scratch: string): Promise<void> {
  const exited = fakes.exitCode === null && once(fakes, "exit");
  if (fakes.connected) fakes.disconnect();
  await exited;
  await rm(scratch, { recursive: true, force: true });
}

declare module "vitest" {
  export interface ProvidedContext {
    /** The only folder that the fakes' commands may write to. */
    scratch: string;
  }
}
