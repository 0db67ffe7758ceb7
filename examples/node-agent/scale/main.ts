/**
 * Measures a controller and many agents on a real API server, and prints tables in Markdown.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { machine } from "../../../bench/support/machine.js";
import { parseOptions } from "../../../bench/support/options.js";
import type { ApiServerKind } from "../cluster/api-server.js";
import { crdServerProgram } from "../cluster/crd-server.js";
import { fullServerPrograms } from "../cluster/full-server.js";
import { compile } from "../cluster/programs.js";
import { stopSignal } from "../cluster/signals.js";
import { startLargeCluster } from "./large-cluster.js";
import type { Costs } from "./model.js";
import type { Phase } from "./phases.js";
import { probe } from "./probes.js";
import {
  costTable,
  latencyTable,
  modelTable,
  phaseTable,
  requestTable,
  stateTable,
  troublesOf,
  usageTable,
} from "./report.js";
import { type Findings, scenario } from "./scenario.js";

const help = `Measures a controller and many agents on a real API server, and prints tables in Markdown.

Usage: npm run scale:agent -- [options]

  --agents <n>      number of agents, each with a fake runtime; default 200
  --server <kind>   full: the API server of Kubernetes 1.20. crds: the part of a current one that serves custom resources; default full
  --tasks <n>       tasks of the mode KeepRunning; default 1
  --rest <s>        seconds of the phases at rest; default 60
  --json <file>     writes all figures to a file
  --no-model        measures no costs of single requests, and prints no arithmetic

Linux, as root, with apt. The first run builds the API server, which takes several minutes.`;

const kinds: readonly ApiServerKind[] = ["full", "crds"];
/** The fleets of the arithmetic. */
const sizes = [200, 1_000, 10_000];
const tasksOfModel = 10;

interface Options {
  agents: number;
  server: ApiServerKind;
  tasks: number;
  restMs: number;
}

async function measureFleet(
  { agents, server, ...options }: Options,
  interrupted: Promise<never>,
): Promise<{ phases: Phase[]; findings: Findings }> {
  await using cluster = await startLargeCluster(server, agents);
  const phases: Phase[] = [];
  const steps = scenario(cluster, options);
  while (true) {
    const step = await Promise.race([steps.next(), interrupted]);
    if (step.done) return { phases, findings: step.value };
    console.error(`${step.value.name}: ${step.value.change.seconds.toFixed(0)} s`);
    phases.push(step.value);
  }
}

function writesPerPod(phases: readonly Phase[], pods: number): number {
  const { requests = {} } = phases.find(({ name }) => name === "roll out")?.change ?? {};
  const writes = Object.entries(requests).filter(([what]) => /^(PATCH|APPLY) nodetaskresults/.test(what));
  return writes.reduce((sum, [, count]) => sum + count, 0) / pods;
}

async function main(args: string[]): Promise<void> {
  const defaults = { agents: 200, server: "full", tasks: 1, rest: 60, json: "", "no-model": false, help: false };
  const options = parseOptions(args, defaults);
  if (options.help) return console.log(help);
  const server = kinds.find((kind) => kind === options.server);
  if (server === undefined) throw new Error(`--server must be ${kinds.join(" or ")}, got "${options.server}".`);
  if (options.agents < 2) throw new Error(`--agents must be at least 2, got "${options.agents}".`);
  if (options.rest < 4) throw new Error(`--rest must be at least 4, got "${options.rest}".`);
  const { agents, tasks } = options;
  // Nothing runs while programs are built, so that a signal ends the process at once.
  await (server === "full" ? fullServerPrograms() : crdServerProgram());
  await Promise.all([compile("src/main.ts"), compile("scale/worker.ts")]);
  const interrupted = stopSignal().then((name) => {
    throw new Error(`ended by ${name}`);
  });
  interrupted.catch(() => {});
  const fleet = { agents, server, tasks, restMs: options.rest * 1_000 };
  const { phases, findings } = await measureFleet(fleet, interrupted);
  console.log(`${agents} agents, ${tasks} tasks, API server ${findings.version}, ${machine()}.\n`);
  console.log([phaseTable(phases), usageTable(phases), stateTable(phases), requestTable(phases)].join("\n\n"));
  console.log(`\n${latencyTable(findings.latencies)}`);
  for (const trouble of troublesOf(phases)) console.log(`\n!!! ${trouble}`);
  let costs: Costs | undefined;
  if (!options["no-model"]) {
    const { resultBytes, taskBytes } = findings;
    costs = {
      ...(await probe(server, interrupted)),
      resultBytes,
      taskBytes,
      writesPerPod: writesPerPod(phases, agents * tasks),
    };
    console.log(`\n${costTable(costs)}\n\n${modelTable(sizes, tasksOfModel, costs)}`);
  }
  if (!options.json) return;
  const figures = { machine: machine(), options, phases, findings, costs };
  await writeFile(options.json, `${JSON.stringify(figures, null, 1)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  // What was interrupted may still wait for something.
  process.exit(1);
});
