/**
 * The process that reads and plans documents. Prints the CPU time of one reading and of one planning for each document, in
 * milliseconds, as JSON.
 *
 *     node planner.js IMAGE NODE
 *
 * @module
 */
import { type NodeConfig, planPod, readManifests } from "k8s-cri-client/kubernetes";
import { large, typical } from "./documents.js";

const [image = "", node = ""] = process.argv.slice(2);
const settings = JSON.parse(node) as NodeConfig;
const times = 200;

/** Returns the milliseconds of one call, after as many calls to warm up. */
function cpuOf(work: () => void): number {
  for (let time = 0; time < times; time++) work();
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / times;
}

const figures = [typical, large].map((document) => {
  const text = document(image);
  const { pods, objects } = readManifests(text);
  const [pod] = pods;
  if (!pod) throw new Error("the document has no pod");
  return { read: cpuOf(() => readManifests(text)), plan: cpuOf(() => planPod(pod, { node: settings, objects })) };
});
console.log(JSON.stringify(figures));
