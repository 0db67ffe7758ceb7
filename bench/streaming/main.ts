/**
 * How fast bytes go through sessions and forwarded ports, and what sets the limit.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { parseVersions } from "../../test/runtime/lab/lab.js";
import { type Contestant, interleave, type Score } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { median } from "../support/statistics.js";
import { table } from "../support/table.js";
import * as bare from "./bare.js";
import { GoClient } from "./go-client.js";
import * as ours from "./ours.js";
import { Stage } from "./stage.js";
import { type Transfer, timed } from "./transfer.js";

export const help = `Throughput of exec and port-forward on a containerd that is brought up for it (Linux, root, apt).

Usage: npm run bench -- streaming [options]

  --mib <n>           size of one transfer; default 256
  --rounds <n>        transfers of each kind; default 5
  --containerd <v>    1.6, 1.7 or 2.1; default 2.1
  --only <text>       only lines whose "measure: name" contains the text, without checking the bytes first; for profiles:
                      node --cpu-prof --import tsx bench/main.ts streaming --only "stdout: ours, SPDY"
  --no-go             do not build the Go client (the first time takes minutes and the network)

MB are millions of bytes. CPU is what the client alone used, in seconds for 1,000 MB; the Go client is a process of its own for
each transfer and its time does not include its start. "Bare" is a socket whose bytes nobody looks at: what runtime and kernel allow.
"Command" is the command alone in the container: what it allows.`;

/** Whom the others are compared with. */
const ourBest = "ours, SPDY";

/** What is measured against each other. */
interface Measure {
  name: string;
  contestants: Contestant<Transfer>[];
}

export async function main(args: string[]): Promise<void> {
  const defaults = { mib: 256, rounds: 5, containerd: "2.1", only: "", "no-go": false };
  const { mib, rounds, ...options } = parseOptions(args, defaults);
  const [version = "2.1"] = parseVersions(options.containerd);

  const go = options["no-go"] ? undefined : await goClient();
  await using stage = await Stage.open(version, mib);
  console.log(`${stage.runtime}, Node.js ${process.version}, ${mib} MiB a transfer, ${rounds} rounds`);
  if (options.only === "") await verify(stage);
  const rows: string[][] = [];
  for (const measure of measures(stage, go)) {
    const chosen = measure.contestants.filter(({ name }) => `${measure.name}: ${name}`.includes(options.only));
    if (chosen.length === 0) continue;
    const scores = await interleave(chosen.map(complete(stage.size)), rounds);
    const reference = scores.find(({ name }) => name === ourBest);
    rows.push(...scores.map((score) => row(measure.name, score, reference)));
    for (const { name, failures } of scores) {
      for (const failure of failures) console.log(`!!! ${measure.name}: ${name}: ${failure}`);
    }
  }
  console.log(`\n${table(["measure", "client", "median MB/s", "best MB/s", "to ours", "CPU s/GB"], rows)}`);
  if (!go) console.log("\n!!! Without the Go client: no comparison with crictl and kubectl.");
}

function measures(stage: Stage, go: GoClient | undefined): Measure[] {
  const peer = (name: string, run: (go: GoClient) => Promise<Transfer>) => (go ? [{ name, run: () => run(go) }] : []);
  return [
    {
      name: "stdout",
      contestants: [
        { name: ourBest, run: () => ours.stdout(stage, "spdy") },
        { name: "ours, WebSocket", run: () => ours.stdout(stage, "websocket") },
        ...peer("client-go, SPDY", (it) => it.stdout(stage, "spdy")),
        ...peer("client-go, WebSocket", (it) => it.stdout(stage, "websocket")),
        { name: "bare SPDY", run: () => bare.stdout(stage) },
      ],
    },
    ...(["sink", "summer"] as const).map((command) => ({
      name: command === "sink" ? "stdin" : "stdin, sha256sum",
      contestants: [
        { name: ourBest, run: () => ours.stdin(stage, "spdy", stage[command]) },
        { name: "ours, WebSocket", run: () => ours.stdin(stage, "websocket", stage[command]) },
        ...peer("client-go, SPDY", (it) => it.stdin(stage, "spdy", stage[command])),
        ...peer("client-go, WebSocket", (it) => it.stdin(stage, "websocket", stage[command])),
        { name: "bare SPDY", run: () => bare.stdin(stage, stage[command]) },
        { name: "command", run: () => alone(stage, stage[command]) },
      ],
    })),
    {
      name: "port-forward",
      contestants: [
        { name: ourBest, run: () => ours.forward(stage, "spdy") },
        { name: "ours, WebSocket", run: () => ours.forward(stage, "websocket") },
        ...peer("client-go, SPDY", (it) => it.forward(stage)),
        { name: "bare SPDY", run: () => bare.forward(stage) },
        { name: "bare TCP", run: () => bare.tcp(stage) },
      ],
    },
  ];
}

/** A transfer that moved too little is a failure, however fast it was. */
function complete(size: number) {
  return ({ name, run }: Contestant<Transfer>): Contestant<Transfer> => ({
    name,
    run: async () => {
      const transfer = await run();
      if (transfer.bytes < size) throw new Error(`only ${transfer.bytes} of ${size} bytes`);
      return transfer;
    },
  });
}

/** A command that reads as much from a pipe in the container. */
async function alone(stage: Stage, command: string[]): Promise<Transfer> {
  const script = `dd if=/dev/zero bs=64k count=${stage.size / 65_536} status=none | "$@"`;
  const { bytes, seconds } = await timed(async () => {
    const whole = ["/bin/sh", "-c", script, "sh", ...command];
    const { exitCode } = await stage.container.execSync(whole, { timeoutMs: 600_000 });
    return exitCode === 0 ? stage.size : 0;
  });
  return { bytes, seconds };
}

/** Speed counts only if the bytes are right: each of our ways once, with sums. It warms the code up as well. */
async function verify(stage: Stage): Promise<void> {
  for (const wire of ["spdy", "websocket"] as const) {
    for (const transfer of [ours.stdout, ours.forward]) {
      const hash = createHash("sha256");
      await transfer(stage, wire, (bytes) => hash.update(bytes));
      if (hash.digest("hex") !== stage.sum) throw new Error(`${transfer.name} over ${wire}: other bytes came.`);
    }
    let said = "";
    await ours.stdin(stage, wire, stage.summer, (bytes) => {
      said += bytes;
    });
    if (!said.startsWith(ours.zeroSum(stage.size))) throw new Error(`stdin over ${wire}: other bytes arrived: ${said}`);
  }
}

async function goClient(): Promise<GoClient | undefined> {
  try {
    return await GoClient.build();
  } catch (error) {
    console.log(`!!! THE GO CLIENT CANNOT BE BUILT, the measurement goes on without it: ${(error as Error).message}`);
    return undefined;
  }
}

function row(measure: string, score: Score<Transfer>, reference: Score<Transfer> | undefined): string[] {
  const speeds = ({ results }: Score<Transfer>) => results.map(({ bytes, seconds }) => bytes / seconds / 1e6);
  const middle = median(speeds(score));
  const cpu = median(score.results.flatMap(({ bytes, cpuSeconds }) => (cpuSeconds ? (cpuSeconds / bytes) * 1e9 : [])));
  const show = (value: number, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : "–");
  const relative = reference ? middle / median(speeds(reference)) : Number.NaN;
  return [measure, score.name, show(middle), show(Math.max(...speeds(score))), show(relative, 2), show(cpu, 2)];
}
