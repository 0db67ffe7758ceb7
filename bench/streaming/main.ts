/**
 * Measures the throughput of sessions and forwarded ports, and what limits it.
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
import { OurClient } from "./our-client.js";
import * as ours from "./ours.js";
import { Stage } from "./stage.js";
import { type Transfer, timed } from "./transfer.js";

export const help = `Measures the throughput of exec and port-forward on a containerd of the lab (Linux, root, apt).

Usage: npm run bench -- streaming [options]

  --mib <n>           size of one transfer; default 256
  --rounds <n>        transfers of each kind; default 5
  --containerd <v>    1.6, 1.7 or 2.1; default 2.1
  --only <text>       measures only lines whose "measure: name" contains the text, without verifying the bytes first
  --no-go             does not build the Go client; the first build takes minutes and needs the network

MB are millions of bytes. CPU is the CPU time of the client alone, in seconds per 1,000 MB. Our client runs in a process
of its own, the Go client in a new one for each transfer; times do not include the start. "Bare" is a socket whose bytes are not parsed: it shows what the runtime and the
kernel allow. "Command" is the command alone in the container: it shows what the command allows.`;

/** The contestant that others are compared with. */
const ourBest = "ours, SPDY";

/** Contestants that are measured against each other. */
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
  await using our = await OurClient.start(stage);
  console.log(`${stage.runtime}, Node.js ${process.version}, ${mib} MiB a transfer, ${rounds} rounds`);
  if (options.only === "") await verify(stage);
  const rows: string[][] = [];
  for (const measure of measures(stage, our, go)) {
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
  if (!go) console.log("\n!!! WITHOUT THE GO CLIENT: no comparison with crictl and kubectl.");
}

function measures(stage: Stage, our: OurClient, go: GoClient | undefined): Measure[] {
  const peer = (name: string, run: (go: GoClient) => Promise<Transfer>) => (go ? [{ name, run: () => run(go) }] : []);
  return [
    {
      name: "stdout",
      contestants: [
        { name: ourBest, run: () => our.stdout("spdy") },
        { name: "ours, WebSocket", run: () => our.stdout("websocket") },
        ...peer("client-go, SPDY", (it) => it.stdout(stage, "spdy")),
        ...peer("client-go, WebSocket", (it) => it.stdout(stage, "websocket")),
        { name: "bare SPDY", run: () => bare.stdout(stage) },
      ],
    },
    ...(["sink", "hashingSink"] as const).map((command) => ({
      name: command === "sink" ? "stdin" : "stdin, sha256sum",
      contestants: [
        { name: ourBest, run: () => our.stdin("spdy", stage[command]) },
        { name: "ours, WebSocket", run: () => our.stdin("websocket", stage[command]) },
        ...peer("client-go, SPDY", (it) => it.stdin(stage, "spdy", stage[command])),
        ...peer("client-go, WebSocket", (it) => it.stdin(stage, "websocket", stage[command])),
        { name: "bare SPDY", run: () => bare.stdin(stage, stage[command]) },
        { name: "command", run: () => alone(stage, stage[command]) },
      ],
    })),
    {
      name: "port-forward",
      contestants: [
        { name: ourBest, run: () => our.forward("spdy") },
        { name: "ours, WebSocket", run: () => our.forward("websocket") },
        ...peer("client-go, SPDY", (it) => it.forward(stage)),
        { name: "bare SPDY", run: () => bare.forward(stage) },
        { name: "bare TCP", run: () => bare.tcp(stage) },
      ],
    },
  ];
}

/** Makes a transfer fail that moved fewer bytes than expected. */
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

/** Runs the command alone: it reads the same number of bytes from a pipe in the container. */
async function alone(stage: Stage, command: string[]): Promise<Transfer> {
  const script = `dd if=/dev/zero bs=64k count=${stage.size / 65_536} status=none | "$@"`;
  const { bytes, seconds } = await timed(async () => {
    const whole = ["/bin/sh", "-c", script, "sh", ...command];
    const { exitCode } = await stage.container.execSync(whole, { timeoutMs: 600_000 });
    return exitCode === 0 ? stage.size : 0;
  });
  return { bytes, seconds };
}

/** Checks the bytes of each of our transfers by their hash, in this process. Speed counts only if the bytes are right. */
async function verify(stage: Stage): Promise<void> {
  for (const wire of ["spdy", "websocket"] as const) {
    for (const name of ["stdout", "forward"] as const) {
      const hash = createHash("sha256");
      const onBytes = (bytes: Buffer) => void hash.update(bytes);
      await (name === "stdout" ? ours.stdout(stage, wire, stage.source, onBytes) : ours.forward(stage, wire, onBytes));
      if (hash.digest("hex") !== stage.sum) throw new Error(`${name} over ${wire}: received different bytes`);
    }
    let output = "";
    await ours.stdin(stage, wire, stage.hashingSink, (bytes) => {
      output += bytes;
    });
    if (!output.startsWith(ours.zeroSum(stage.size)))
      throw new Error(`stdin over ${wire}: the command received different bytes: ${output}`);
  }
}

async function goClient(): Promise<GoClient | undefined> {
  try {
    return await GoClient.build();
  } catch (error) {
    console.log(`!!! THE GO CLIENT CANNOT BE BUILT, the benchmark continues without it: ${(error as Error).message}`);
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
