/**
 * Calls Version one at a time and prints the cost of a call.
 *
 *     node task.js ENDPOINT LISTENER CALLS
 *
 * @module
 */
import { CriClient } from "k8s-cri-client";
import { listeners } from "./listeners.js";

const [endpoint = "", listener = "", calls = ""] = process.argv.slice(2);
listeners[listener]?.();
const cri = CriClient.lazy({ endpoint });

async function call(times: number): Promise<void> {
  for (let index = 0; index < times; index++) await cri.version();
}

// Until V8 has optimised the code.
await call(Number(calls));
const cpu = process.cpuUsage();
const began = performance.now();
await call(Number(calls));
const wallUs = ((performance.now() - began) * 1_000) / Number(calls);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wallUs, cpuUs: (user + system) / Number(calls) }));
await cri.close();
