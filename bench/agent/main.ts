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
import { criClientPackages } from "../support/cri-client.js";
import type { Role } from "../support/interleave.js";
import { millisecondsOf, parseOptions } from "../support/options.js";
import type { Report, Section } from "../support/page.js";
import { Program } from "../support/program.js";
import { baselines, observe, type Phase, phaseCharts, phaseDiagrams } from "./phase.js";
import { Stage } from "./stage.js";

export const help = `Measures an agent that embeds this package, beside one that embeds k8s.io/cri-client (Go), on a containerd of the lab (Linux, root, apt).

Usage: npm run bench -- agent [options]

  --minutes <n>    how long each agent works, may be a fraction; default 10. It rests for a fifth of that before
  --pods <n>       pods on the node, each with two containers; default 110
  --versions <v>   containerd of the lab; default 1.7,2.1. Watched by lists on 1.7, by the runtime's events on 2.1
  --rounds <n>     has no effect here
  --no-go          leaves out the agent in Go, whose first build takes minutes and needs the network

${duties()}`;

function duties(): string {
  return (
    "Both agents watch the node and follow all logs. At rest, nothing happens. At work, one container of each pod writes a line every 10 seconds, the agents take statistics of all containers every 10 seconds and probe each pod every 10 seconds (ExecSync), and one pod is replaced every 10 seconds. " +
    "The agents take turns, because the probes of two would slow the runtime. Two shorter phases show limits: this package with `--max-semi-space-size=1`, and a program that only makes the probes. CPU time and memory are the kernel's figures for the agent's process. The calls themselves also cost CPU time of the runtime, which is not included."
  );
}

/** The growth of memory that counts as flat. */
const tolerance = { absolute: 8 * 2 ** 20, relative: 0.1 };

interface Agent {
  name: string;
  role: Role;
  start(stage: Stage): Program;
  /** Whether it works only for the time that the others rest, after as long to compile what it needs. */
  isBrief?: boolean;
}

export async function page(args: string[]): Promise<Report> {
  const defaults = { minutes: "10", pods: 110, versions: "1.7,2.1", rounds: 1, "no-go": false };
  const { minutes, pods, ...options } = parseOptions(args, defaults);
  const durationMs = millisecondsOf(minutes);
  const report = {
    title: "An agent",
    about: `${duties()} ${minutes} minutes of work after a fifth of that at rest, ${pods} pods.`,
  };
  const availability = labAvailability();
  if (!availability.available) {
    const warnings = [`Left out: no containerd can be started on this machine, ${availability.reason}.`];
    return { ...report, warnings, sections: [] };
  }
  const warnings = options["no-go"] ? ["--no-go leaves out the agent in Go."] : [];
  const ours = await compileProgram("bench/agent/node-program.ts", "agent.js");
  const probes = await compileProgram("bench/agent/probes-program.ts", "probes.js");
  const sections: Section[] = [];
  for (const version of parseVersions(options.versions)) {
    await using stage = await Stage.open(version, pods);
    const agents: Agent[] = [
      { name: "k8s-cri-client", role: "ours", start: node(ours) },
      {
        name: "k8s-cri-client, 1 MB semi-spaces",
        role: "ours",
        start: node("--max-semi-space-size=1", ours),
        isBrief: true,
      },
    ];
    if (!options["no-go"]) agents.push(await goAgent(version));
    agents.push({ name: "only the probes, by grpc-js", role: "baseline", start: node(probes), isBrief: true });
    sections.push(await measure(stage, version, agents, durationMs, warnings));
  }
  return { ...report, warnings, sections };
}

const node =
  (...args: string[]) =>
  ({ endpoint }: Stage) =>
    new Program(process.execPath, [...args, endpoint]);

const sourceOf = (version: LabVersion) => (version.startsWith("1.") ? "lists" : "events");

async function goAgent(version: LabVersion): Promise<Agent> {
  const program = await buildGo(inRoot("bench/agent/go-agent/main.go"), criClientPackages);
  const start = ({ endpoint }: Stage) => new Program(program, [endpoint, sourceOf(version)]);
  return { name: "cri-client (Go)", role: "peer", start };
}

async function measure(
  stage: Stage,
  version: LabVersion,
  agents: readonly Agent[],
  durationMs: number,
  warnings: string[],
): Promise<Section> {
  const rest: Phase[] = [];
  const work: (Phase & { isBrief: boolean })[] = [];
  const facts: string[] = [];
  for (const { name, role, start, isBrief = false } of agents) {
    await stage.setWorking(false);
    await using program = start(stage);
    // Long enough for the first lists, and for both programs to compile or load what they need.
    await sleep(5_000);
    if (!isBrief) rest.push({ name, role, ...(await observe(program, durationMs / 5)) });
    await stage.setWorking(true);
    await program.ask("work");
    if (isBrief) await sleep(durationMs / 5);
    // A baseline does not notice new pods.
    const replace = role === "baseline" ? undefined : () => stage.replacePod();
    const phase = { name, role, isBrief, ...(await observe(program, isBrief ? durationMs / 5 : durationMs, replace)) };
    work.push(phase);
    const { failures = 0, ...did } = phase.did;
    if (failures > 0) warnings.push(`${stage.runtime}: ${name}: ${failures} failures.`);
    const counts = Object.entries(did).map(([what, count]) => `${count} ${what}`);
    facts.push(`${name}, at work: ${counts.join(", ")}.`);
    if (isBrief) continue;
    const { outcome, growth } = judge(
      phase.samples.map(({ rssBytes }) => rssBytes),
      tolerance,
    );
    if (outcome !== "flat") warnings.push(`${stage.runtime}: memory of ${name}: ${outcome}.`);
    facts.push(`Its memory grew by ${(growth / 1e6).toFixed(1)} MB (${outcome}).`);
    if (role !== "ours") continue;
    const { profile } = await program.ask<{ profile: string[] }>("profile");
    facts.push(`A profile of the next half minute shows whose code takes its CPU time: ${profile.join(", ")}.`);
  }
  const how =
    sourceOf(version) === "lists" ? "which has no events, so both agents list" : "whose events both agents read";
  return {
    id: `agent-${version}`,
    title: `On ${stage.runtime}`,
    about: `${stage.runtime}, ${how}. ${facts.join(" ")}`,
    charts: [...phaseCharts("at rest", rest), ...phaseCharts("at work", work, await baselines())],
    diagrams: phaseDiagrams(
      "at work",
      work.filter(({ isBrief }) => !isBrief),
    ),
  };
}
