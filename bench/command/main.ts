/**
 * Measures the start of the command `k8s-cri-client`, from a new process to its end.
 *
 * @module
 */
import { execFile } from "node:child_process";
import manifest from "../../package.json" with { type: "json" };
import { FakeRuntime } from "../../src/testing/index.js";
import { buildDist, inRoot } from "../support/build.js";
import { barsOf, type Chart } from "../support/chart.js";
import { type Contestant, interleave } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median, show } from "../support/statistics.js";

export const help = `Measures how long commands take when they are started cold, beside loading the package.

Usage: npm run bench -- command [options]

  --rounds <n>   default 15
  --no-go        has no effect here: this benchmark has no Go programs

Each command is a new process. The runtime is a FakeRuntime with ten containers, in the process of the benchmark.`;

/** `ps` must take at most this multiple of loading the package. */
const limit = 2.5;

/** The cost of one process. */
interface Cost {
  wallMs: number;
  cpuMs: number;
}

export async function page(args: string[]): Promise<Report> {
  const { rounds } = parseOptions(args, { rounds: 15, "no-go": false });
  await buildDist();
  await using runtime = await FakeRuntime.start({ images: ["busybox:1"] });
  await using cri = await runtime.connect();
  const pod = await cri.pods.run({ name: "bench" });
  for (let index = 0; index < 10; index++) await pod.runContainer({ name: `c${index}`, image: "busybox:1" });

  const command = inRoot(manifest.bin["k8s-cri-client"]);
  const at = ["--endpoint", runtime.endpoint];
  const contestants: Contestant<Cost>[] = [
    { name: "k8s-cri-client ps", role: "ours", run: () => start([command, "ps", ...at]) },
    { name: "k8s-cri-client version", role: "ours", run: () => start([command, "version", ...at]) },
    { name: "k8s-cri-client --help", role: "ours", run: () => start([command, "--help"]) },
    { name: "import('k8s-cri-client')", role: "baseline", run: () => start(["-e", "import('k8s-cri-client')"]) },
    { name: "empty program", role: "baseline", run: () => start(["-e", ""]) },
  ];
  await interleave(contestants, 1);
  const scores = await interleave(contestants, rounds);
  const cpuOf = (name: string) =>
    median(scores.find((score) => score.name === name)?.results.map(({ cpuMs }) => cpuMs) ?? []);
  const ratio = cpuOf("k8s-cri-client ps") / cpuOf("import('k8s-cri-client')");
  const warnings = failuresOf("the command", scores);
  if (!(ratio <= limit))
    warnings.push(`ps takes ${show(ratio)} times as long as the import, more than ${limit} times.`);
  const chart = (name: string, of: (cost: Cost) => number): Chart => ({
    ...{ name, unit: "ms", columns: ["p50", "max"] },
    bars: barsOf(scores, (results) => [median(results.map(of)), Math.max(...results.map(of))]),
  });
  return {
    title: "The command",
    about: `In each of ${rounds} rounds, after one round of warm-up, each program is a new process, and its time is taken from its start to its end.`,
    warnings,
    sections: [
      {
        id: "command",
        title: "Cold start",
        about: `\`ps\` takes ${show(ratio)} times the CPU time of \`node -e "import('k8s-cri-client')"\`: it loads the package and the command, connects, and lists containers, pods and images.`,
        charts: [
          chart("time of the process", ({ wallMs }) => wallMs),
          chart("CPU time of the process", ({ cpuMs }) => cpuMs),
        ],
      },
    ],
  };
}

/** Writes the CPU time of a process to its standard error at its end. */
const reporter =
  "data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('cpu '+(user+system)+'\\n')})";

/** Runs Node.js and waits for its end. */
function start(args: string[]): Promise<Cost> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--import", reporter, ...args],
      { cwd: inRoot("."), timeout: 60_000 },
      (error, _, stderr) => {
        const wallMs = performance.now() - began;
        const cpu = /^cpu (\d+)$/m.exec(stderr)?.[1];
        if (error || cpu === undefined) reject(error ?? new Error(`no CPU time in: ${stderr}`));
        else resolve({ wallMs, cpuMs: Number(cpu) / 1_000 });
      },
    );
  });
}
