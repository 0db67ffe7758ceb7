/**
 * Measures the speed of calls, compared with other clients.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../scripts/lib/buf.js";
import { packageVersion } from "../../test/runtime/lab/debian.js";
import { barsOf, type Chart, chartTable } from "../support/chart.js";
import { interleave, type Role } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report, type Section } from "../support/page.js";
import { type Competitor, Crictl, GoCompetitor, NodeCompetitor } from "./competitors.js";
import { decodedSize } from "./replies.js";
import { groups, type Scenario } from "./scenarios.js";
import { Stage } from "./stage.js";
import type { Calls, Task } from "./task.js";
import { verify } from "./verify.js";

export const help = `Measures calls of this package and of other clients in Node.js and Go. The server sends prepared replies.

Usage: npm run bench -- calls [options]

  --rounds <n>   default 10; memory is measured after n × 1,000 lists
  --only <text>  measures only lines whose "group: scenario: client" contains the text
  --no-go        skips the Go client and the Go server; the first build takes minutes and needs the network

Each client runs in its own process, is warmed up before each scenario, and runs once in each round. Before that, each client
lists everything once, and the contents must be equal. "To ours" is the ratio to this package's time. Baselines are not clients:
they show what the machine allows.`;

/** Prints only the names of finished charts: the page has the tables. */
export async function page(args: string[]): Promise<Report> {
  return await measure(args, ({ name }) => console.log(`  ${name}`));
}

export async function main(args: string[]): Promise<void> {
  const { warnings, sections } = await measure(args, (chart) => console.log(`\n${chart.name}\n\n${chartTable(chart)}`));
  for (const { about } of sections) console.log(`\n${about}`);
  for (const warning of warnings) console.log(`\n!!! ${warning}`);
}

async function measure(args: string[], report: (chart: Chart) => void): Promise<Report> {
  const { rounds, ...options } = parseOptions(args, { rounds: 10, only: "", "no-go": false });
  await using stage = await Stage.open({ go: !options["no-go"] });
  const competitors = await openAll(stage);
  try {
    const warnings = [...stage.warnings];
    if (!competitors.some((one) => one instanceof Crictl)) {
      warnings.push("crictl is left out: it is not on this machine's PATH.");
    }
    await verify(competitors);
    const sections: Section[] = [];
    for (const { scenarios, profile, ...group } of groups(rounds)) {
      const charts: Chart[] = [];
      for (const scenario of scenarios) {
        const chosen = competitors.filter((one) => `${group.id}: ${scenario.name}: ${one.name}`.includes(options.only));
        for (const chart of await measureOne(scenario, chosen, rounds, warnings)) {
          if (chart.bars.length === 0) continue;
          report(chart);
          charts.push(chart);
        }
      }
      if (charts.length === 0) continue;
      if (profile) group.about += await profiles(competitors, profile);
      sections.push({ ...group, charts });
    }
    return { title: "Calls", about: await about(stage, rounds), warnings, sections };
  } finally {
    for (const one of competitors) one[Symbol.dispose]();
  }
}

async function measureOne(
  { task, singleRound, secondView, ...view }: Scenario,
  competitors: readonly Competitor[],
  rounds: number,
  warnings: string[],
): Promise<Chart[]> {
  const participants = competitors.filter((one) => one.can(task));
  const run = (one: Competitor) => async () => {
    const { figures = [] } = await one.perform(task);
    if (figures.length === 0) throw new Error("the client returned no figures");
    return figures;
  };
  const contestants = participants.map((one) => ({ name: one.name, role: one.role, run: run(one) }));
  if (!singleRound) await interleave(contestants, 2); // warm-up: compiles code
  const scores = await interleave(contestants, singleRound ? 1 : rounds);
  warnings.push(...failuresOf(view.name, scores));
  return [view, ...(secondView ? [secondView] : [])].map(({ summarise, ...chart }) => ({
    ...chart,
    bars: barsOf(scores, summarise),
  }));
}

/** Bounds V8's pauses for collecting young objects. All objects of a list are young. */
const smallYoungGeneration = "--max-semi-space-size=2";

/** Starts all clients that this machine has, ours first. */
async function openAll({ place, goClient }: Stage): Promise<Competitor[]> {
  const everything = () => true;
  const calls = ({ kind }: Task) => kind === "calls";
  const small = (task: Task) => task.kind === "calls" && task.method === "Version" && task.inFlight === 1;
  const messages = ({ kind }: Task) => ["decode", "encode", "decoded"].includes(kind);
  const delay = ({ kind }: Task) => kind === "delay";
  const inParts = ({ kind }: Task) => kind === "delay" || kind === "contents";
  const open = (name: string, role: Role, module: string, can: (task: Task) => boolean, flags: string[] = []) =>
    NodeCompetitor.open({ name, role, module, place, can, flags });
  const crictl = await Crictl.find(place);
  return [
    await open("k8s-cri-client", "ours", "ours", everything),
    await open("k8s-cri-client, in parts", "ours", "ours-in-parts", inParts),
    await open("k8s-cri-client, 2 MB semi-spaces", "ours", "ours", delay, [smallYoungGeneration]),
    await open("nice-grpc, ts-proto", "peer", "nice-grpc", everything),
    await open("grpc-js, proto-loader", "peer", "proto-loader", everything),
    await open("grpc-js, protobufjs static", "peer", "protobufjs", everything),
    await open("Connect, protobuf-es", "peer", "connect", everything),
    ...(goClient === undefined ? [] : [new GoCompetitor(goClient, place)]),
    ...(crictl ? [crictl] : []),
    await open("node:http2, no decoding", "baseline", "http2", calls),
    await open("socket echo", "baseline", "socket", small),
    await open("JSON", "baseline", "json", messages),
  ];
}

/** Says where the CPU time of calls goes. */
async function profiles(competitors: readonly Competitor[], calls: Calls): Promise<string> {
  const sentences: string[] = [];
  for (const name of ["k8s-cri-client", "nice-grpc, ts-proto"]) {
    const one = competitors.find((competitor) => competitor.name === name);
    const { contents = [] } = (await one?.perform({ kind: "profile", of: calls })) ?? {};
    sentences.push(`${name}: ${contents.join(", ")}.`);
  }
  const what = `${calls.calls.toLocaleString("en")} calls of ${calls.method}, ${calls.inFlight} in flight,`;
  return ` A profile of ${what} shows whose code takes the CPU time of the process. ${sentences.join(" ")}`;
}

/** Describes the setup and the measured versions. */
async function about({ goClient, place }: Stage, rounds: number): Promise<string> {
  const version = async (name: string) => {
    const manifest = await readFile(join(projectRoot, "node_modules", name, "package.json"), "utf8");
    return `${name} ${JSON.parse(manifest).version}`;
  };
  const packages = ["nice-grpc", "ts-proto", "@grpc/grpc-js", "@grpc/proto-loader", "protobufjs"];
  const connect = ["@connectrpc/connect-node", "@bufbuild/protobuf"];
  const versions = [(await Promise.all([...packages, ...connect].map(version))).join(", ")];
  if (goClient !== undefined) {
    const go = await packageVersion("trixie-backports", "golang-1.26-go");
    const [grpc, client] = await Promise.all([
      packageVersion("forky", "golang-google-grpc-dev"),
      packageVersion("forky", "golang-k8s-cri-client-dev"),
    ]);
    versions.push(`Go ${go}, grpc-go ${grpc}, k8s.io/cri-client ${client} (Debian's)`);
  }
  const containerSize = Math.round((await stat(place.reply)).size / decodedSize);
  const server = goClient === undefined ? "A server in Node.js" : "A server in Go";
  return (
    `${server} sends prepared replies over a Unix socket. A container in a list has ${containerSize} bytes. Each client runs in its own process and takes part in each of ` +
    `${rounds === 1 ? "one round" : `${rounds} rounds`}, after two rounds of warm-up. The other clients use their default settings, but higher message limits where the default is too low. ` +
    `Before the measurement, the benchmark checks that all clients decode the same contents.\n\n` +
    `${versions.join(". ")}.`
  );
}
