/**
 * Two lives of a lab: one ended by SIGTERM, one by SIGKILL and cleaned up later. Prints what each left behind, as JSON.
 * Run by lab-teardown.test.ts in namespaces of its own, where nobody else's doings disturb the comparison.
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

/** Ids of the labs of this script: control groups are in no namespace, and those of other labs come and go meanwhile. */
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
  let said = "";
  for await (const chunk of owner.stdout ?? []) {
    said += chunk;
    if (said.includes("takes it down")) break;
  }
  if (!said.includes("takes it down")) throw new Error(`The lab did not come up: ${said}`);
  own.push(/Lab ([0-9a-f]+) is up/.exec(said)?.[1] ?? "");
  const endpoints = [...said.matchAll(/CONTAINER_RUNTIME_ENDPOINT=(\S+)/g)].map((match) => match[1] ?? "");
  for (const endpoint of endpoints) await runPod(endpoint);
  return { owner, pods: endpoints.length };
}

/** Leaves a pod running. */
async function runPod(endpoint: string): Promise<void> {
  const channel = createChannel(endpoint);
  const metadata = { name: "left", namespace: "lab", uid: "left", attempt: 0 };
  await createClient(RuntimeServiceDefinition, channel).runPodSandbox({ config: { metadata, linux: {} } });
  channel.close();
}

async function end(owner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(owner, "exit");
  owner.kill(signal);
  await gone;
}

/** What is left once the kernel has ended the processes of the enclosures, for which it takes its time. */
async function settled(): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const left = difference(before, footprint());
    if (attempt === 100 || !left.some((line) => line.startsWith("+ process"))) return left;
    await sleep(50);
  }
}

// A new network namespace comes with its loopback interface down.
const { busybox } = await prepareLab();
await run(busybox, ["ip", "link", "set", "dev", "lo", "up"]);

const before = footprint();
const first = await up();
const whileUp = difference(before, footprint());
await end(first.owner, "SIGTERM");
const afterTerm = difference(before, footprint());

const second = await up();
await end(second.owner, "SIGKILL");
const afterKill = await settled();
for (const attempt of ["first", "second"]) {
  const [code] = await once(runCli("clean"), "exit");
  if (code !== 0) throw new Error(`The ${attempt} clean exited with ${code}.`);
}
const afterClean = difference(before, footprint());

console.log(JSON.stringify({ pods: first.pods + second.pods, whileUp, afterTerm, afterKill, afterClean }));
