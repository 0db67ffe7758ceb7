/**
 * Starts two labs, ends one with SIGTERM, and ends the other with SIGKILL and cleans up afterwards. Prints the remains of each as
 * JSON. lab-teardown.test.ts runs it in separate namespaces, where other programs do not affect the result.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createChannel, createClient } from "nice-grpc";
import { RuntimeServiceDefinition } from "../../../src/proto.js";
import { run } from "./command.js";
import { difference as differenceOf, footprint } from "./footprint.js";
import { prepareLab } from "./lab.js";

const cli = fileURLToPath(new URL("./cli.ts", import.meta.url));

/** Ids of the labs of this script. Control groups are not in a namespace, so those of other labs must be ignored. */
const own: string[] = [];

function difference(before: readonly string[], after: readonly string[]): string[] {
  return differenceOf(before, after).filter((line) => {
    const id = /^. cgroup .*\/cri-lab-([0-9a-f]+)/.exec(line)?.[1];
    return id === undefined || own.includes(id);
  });
}

function runCli(...args: string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, cli, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

async function up(): Promise<{ owner: ChildProcess; pods: number }> {
  const owner = runCli("up");
  let output = "";
  for await (const chunk of owner.stdout ?? []) {
    output += chunk;
    if (output.includes("stops it.")) break;
  }
  if (!output.includes("stops it.")) throw new Error(`the lab did not start: ${output}`);
  own.push(/Lab ([0-9a-f]+) is up/.exec(output)?.[1] ?? "");
  const endpoints = [...output.matchAll(/CONTAINER_RUNTIME_ENDPOINT=(\S+)/g)].map((match) => match[1] ?? "");
  for (const endpoint of endpoints) await runPod(endpoint);
  return { owner, pods: endpoints.length };
}

/** Runs a pod and leaves it running. */
async function runPod(endpoint: string): Promise<void> {
  const channel = createChannel(endpoint);
  const metadata = { name: "left", namespace: "lab", uid: "left", attempt: 0 };
  await createClient(RuntimeServiceDefinition, channel).runPodSandbox({ config: { metadata, linux: {} } });
  channel.close();
}

async function end(owner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(owner, "exit");
  owner.kill(signal);
  await exited;
}

/** Waits up to 5 s until the kernel has ended the processes of the namespaces, and returns the remains. */
async function remainsWithoutProcesses(): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const left = difference(before, footprint());
    if (attempt === 100 || !left.some((line) => line.startsWith("+ process"))) return left;
    await sleep(50);
  }
}

// In a new network namespace, the loopback interface is down.
const { busybox } = await prepareLab();
await run(busybox, ["ip", "link", "set", "dev", "lo", "up"]);

const before = footprint();
const first = await up();
const whileUp = difference(before, footprint());
await end(first.owner, "SIGTERM");
const afterTerm = difference(before, footprint());

const second = await up();
await end(second.owner, "SIGKILL");
const afterKill = await remainsWithoutProcesses();
for (const attempt of ["first", "second"]) {
  const [code] = await once(runCli("clean"), "exit");
  if (code !== 0) throw new Error(`the ${attempt} clean exited with code ${code}`);
}
const afterClean = difference(before, footprint());

console.log(JSON.stringify({ pods: first.pods + second.pods, whileUp, afterTerm, afterKill, afterClean }));
