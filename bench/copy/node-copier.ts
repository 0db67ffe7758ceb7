/**
 * The process that copies with this package.
 *
 *     node copier.js ENDPOINT CONTAINER
 *
 * Each line of its input is a copy, in JSON: `["to" or "from", source, target]`. It answers each with its cost, or with an error.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { CriClient } from "k8s-cri-client";

const [endpoint = "", id = ""] = process.argv.slice(2);
await using cri = await CriClient.connect({ endpoint });
const container = cri.containers.get(id);

async function copy(direction: string, source: string, target: string): Promise<object> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await (direction === "to" ? container.copyTo(source, target) : container.copyFrom(source, target));
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [direction, source, target] = JSON.parse(line) as [string, string, string];
  console.log(JSON.stringify(await copy(direction, source, target).catch((error) => ({ error: String(error) }))));
}
