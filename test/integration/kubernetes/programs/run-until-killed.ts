/**
 * Runs a pod until it is ready, disposes of it, and ends. Kills itself by SIGKILL before or after its n-th call of the runtime that
 * changes something.
 *
 * Arguments: a JSON object with {@link Settings}.
 *
 * @module
 */
import type { ClientMiddleware } from "nice-grpc-common";
import { CriClient } from "../../../../src/index.js";
import { type NodeConfig, planPod, readManifests } from "../../../../src/kubernetes/index.js";

export interface Settings {
  endpoint: string;
  node: NodeConfig;
  manifest: object;
  killAt: number;
  phase: "before" | "after";
}

const { endpoint, node, manifest, killAt, phase } = JSON.parse(process.argv[2] ?? "") as Settings;

const kill = () => new Promise<never>(() => process.kill(process.pid, "SIGKILL"));
let calls = 0;

const killing: ClientMiddleware = async function* (call, options) {
  const isChange = /\/(Run|Create|Start|Stop|Remove)/.test(call.method.path);
  const number = isChange ? ++calls : 0;
  if (number === killAt && phase === "before") await kill();
  const reply = yield* call.next(call.request, options);
  if (number === killAt && phase === "after") await kill();
  return reply;
};
const cri = CriClient.lazy({ endpoint, middleware: [killing] });

const [pod] = readManifests(manifest).pods;
if (!pod) throw new Error("the manifest has no pod");
const running = await planPod(pod, { node }).run(cri);
await running.waitReady({ timeoutMs: 20_000 });
await running.dispose();
await cri.close();
