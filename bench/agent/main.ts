/**
 * Measures what an agent costs all day, on a node at rest and at work.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { buildGo } from "../../test/runtime/lab/go.js";
import { type LabVersion, labAvailability, parseVersions } from "../../test/runtime/lab/lab.js";
import { judge } from "../soak/verdict.js";
import { compileProgram, inRoot } from "../support/build.js";
import { type Cost, percentOfCore } from "../support/cost.js";
import { criClientPackages } from "../support/cri-client.js";
import { millisecondsOf, parseOptions } from "../support/options.js";
import { median } from "../support/statistics.js";
import { table } from "../support/table.js";
import { type Counts, Program } from "./program.js";
import { Stage } from "./stage.js";

export const help = `Measures an agent that embeds this package, beside one that embeds k8s.io/cri-client (Go), on a containerd of the lab (Linux, root, apt).

Usage: npm run bench -- agent [options]

  --minutes <n>    length of each phase of each agent, may be a fraction; default 10
  --pods <n>       pods on the node, each with two containers; default 110
  --versions <v>   containerd of the lab; default 1.7,2.1. Watched by lists on 1.7, by the runtime's events on 2.1
  --no-go          leaves out the agent in Go, whose first build takes minutes and needs the network

Both agents watch the node and follow all logs. At rest, nothing happens. At work, one container of each pod writes a line every
10 seconds, the agents take statistics of all containers every 10 seconds and probe each pod every 10 seconds (ExecSync), and one
pod is replaced every 10 seconds. The agents take turns, because the probes of two would slow the runtime. CPU time and memory are
the kernel's figures for the agent's process. "Growth" is the growth of memory over a phase, as "npm run soak" judges it.`;

const sampleMs = 2_000;
const replaceMs = 10_000;
/** Counts of what exists. All others count what was done. */
const objects = { pods: true, containers: true };
/** The growth of memory that counts as flat. */
const tolerance = { absolute: 8 * 2 ** 20, relative: 0.1 };

interface Agent {
  name: string;
  start(stage: Stage): Program;
}

interface Phase {
  cpuPercent: number;
  rss: readonly number[];
  did: Counts;
}

export async function main(args: string[]): Promise<void> {
  const options = parseOptions(args, { minutes: "10", pods: 110, versions: "1.7,2.1", "no-go": false });
  const durationMs = millisecondsOf(options.minutes);
  const availability = labAvailability();
  if (!availability.available) throw new Error(`no containerd on this machine: ${availability.reason}`);
  const versions = parseVersions(options.versions);
  const program = await compileProgram("bench/agent/node-program.ts", "agent.js");
  for (const version of versions) {
    await using stage = await Stage.open(version, options.pods);
    console.log(
      `\n${stage.runtime}, ${options.pods} pods, ${options.minutes} minutes for each phase, Node.js ${process.version}`,
    );
    const agents: Agent[] = [
      { name: "k8s-cri-client", start: ({ endpoint }) => new Program(process.execPath, [program, endpoint]) },
    ];
    if (!options["no-go"]) agents.push(await goAgent(version));
    await measure(stage, agents, durationMs);
  }
  if (options["no-go"]) console.log("\n!!! --no-go: no comparison.");
}

async function goAgent(version: LabVersion): Promise<Agent> {
  const program = await buildGo(inRoot("bench/agent/go-agent/main.go"), criClientPackages);
  const source = version.startsWith("1.") ? "lists" : "events";
  return { name: "cri-client (Go)", start: ({ endpoint }) => new Program(program, [endpoint, source]) };
}

async function measure(stage: Stage, agents: readonly Agent[], durationMs: number): Promise<void> {
  const phases: Record<string, Phase[]> = { "at rest": [], "at work": [] };
  for (const { name, start } of agents) {
    await stage.setWorking(false);
    await using program = start(stage);
    // Long enough for the first lists, and for both programs to compile or load what they need.
    await sleep(5_000);
    await program.ask("");
    phases["at rest"]?.push(await observe(program, durationMs));
    await stage.setWorking(true);
    await program.ask("work");
    phases["at work"]?.push(await observe(program, durationMs, () => stage.replacePod()));
    console.log(`${name}: ${JSON.stringify(phases["at work"]?.at(-1)?.did)}`);
  }
  for (const [phase, results] of Object.entries(phases)) {
    const [ours] = results;
    const rows = results.map((result, index) => {
      const { outcome, growth } = judge(result.rss, tolerance);
      const [cpu, rss] = [result.cpuPercent, median(result.rss)];
      const ratio = ours ? [ours.cpuPercent / cpu, median(ours.rss) / rss] : [];
      return [
        agents[index]?.name ?? "",
        cpu.toFixed(2),
        (rss / 1e6).toFixed(0),
        `${(growth / 1e6).toFixed(1)} (${outcome})`,
        ...ratio.map((value) => (Number.isFinite(value) ? value.toFixed(2) : "–")),
      ];
    });
    const columns = ["CPU, % of a core", "memory, MB", "growth, MB", "ours to it, CPU", "memory"];
    console.log(`\n${table([phase, ...columns], rows)}`);
  }
}

/** Observes a program for a while, and does `each` every {@link replaceMs}. */
async function observe(program: Program, durationMs: number, each = async () => {}): Promise<Phase> {
  const before = await program.ask("");
  const costs: Cost[] = [await program.cost()];
  const end = performance.now() + durationMs;
  let next = performance.now() + replaceMs;
  while (performance.now() < end) {
    await sleep(sampleMs);
    costs.push(await program.cost());
    if (performance.now() < next) continue;
    next += replaceMs;
    await each();
  }
  const after = await program.ask("");
  return {
    cpuPercent: percentOfCore(costs[0] as Cost, costs.at(-1) as Cost),
    rss: costs.map(({ rssBytes }) => rssBytes),
    did: Object.fromEntries(
      Object.entries(after).map(([name, count]) => [name, name in objects ? count : count - (before[name] ?? 0)]),
    ),
  };
}
