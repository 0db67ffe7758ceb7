/**
 * The process that transfers with this package.
 *
 *     node streaming.js ENDPOINT POD CONTAINER SIZE
 *
 * Each line of its input is a transfer, in JSON: `[what, transport, command]`. It answers each with a {@link Transfer}, or with an
 * error.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { CriClient } from "k8s-cri-client";
import * as ours from "./ours.js";
import type { Transfer } from "./transfer.js";

const [endpoint = "", pod = "", container = "", size = ""] = process.argv.slice(2);
await using cri = await CriClient.connect({ endpoint });
const place = { pod: cri.pods.get(pod), container: cri.containers.get(container), size: Number(size) };

function transfer([what, wire, command]: [string, ours.Wire, string[]]): Promise<Transfer> {
  if (what === "stdout") return ours.stdout(place, wire, command);
  if (what === "stdin") return ours.stdin(place, wire, command);
  return ours.forward(place, wire);
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await transfer(JSON.parse(line)).catch((error) => ({ error: String(error) }))));
}
