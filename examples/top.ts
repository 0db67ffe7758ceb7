/**
 * Shows the busiest containers of the node until Ctrl-C. With --once, or without a terminal, prints one table.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/top.ts
 */
import assert from "node:assert/strict";
import Table from "cli-table3";
import { CriClient, type UsageSnapshot } from "k8s-cri-client";
import logUpdate from "log-update";

const { stdout } = process;
const live = stdout.isTTY && !process.argv.includes("--once");
const mebibytes = (bytes: number | undefined) => (bytes === undefined ? "-" : `${(bytes / 2 ** 20).toFixed(1)} Mi`);

/** Formats a table of the terminal's size, busiest containers first. */
function draw({ at, containers }: UsageSnapshot): string {
  const { columns = 130, rows = 50 } = stdout;
  const colWidths = [9, 12, 12, ...Array<number>(3).fill(Math.max(8, Math.floor((columns - 40) / 3)))];
  const head = ["CPU %", "MEMORY", "LIMIT", "POD", "CONTAINER", "IMAGE"];
  const table = new Table({ head, colWidths, style: { head: [], border: [], compact: true } });
  const busiest = containers.toSorted((a, b) => (b.cpu?.percent ?? -1) - (a.cpu?.percent ?? -1));
  for (const { cpu, memory, pod, name, image } of live ? busiest.slice(0, rows - 7) : busiest) {
    const used = [cpu?.percent?.toFixed(1) ?? "-", mebibytes(memory?.workingSetBytes), mebibytes(memory?.limitBytes)];
    table.push([...used, `${pod?.namespace}/${pod?.name}`, name, image?.reference ?? image?.id ?? "-"]);
  }
  return `${containers.length} containers at ${at.toLocaleTimeString()}\n${table}`;
}
let [latest, count]: [UsageSnapshot | undefined, number] = [undefined, 0];
const show = (note = "") => live && latest && logUpdate(`${draw(latest)}\n${note}`);
stdout.on("resize", () => [console.clear(), show()]);

await using cri = await CriClient.connect();
await using usage = cri.stats.watch({ intervalMs: live ? 2_000 : 1_000, onMissed: ({ message }) => show(message) });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => usage.close());
for await (latest of usage) {
  show();
  if (!live && ++count === 2) break; // Rates need two snapshots.
}
if (live) logUpdate.done();
else console.log(draw(latest ?? assert.fail("no snapshot arrived")));
