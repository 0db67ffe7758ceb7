import { createHash } from "node:crypto";
import type { NodeTaskSpec } from "./types.js";

const hash = (value: string) => createHash("sha256").update(value).digest("hex");

/** Shortens a name to a length, with a hash instead of the end, so that different names stay different. */
function shortened(name: string, length: number): string {
  if (name.length <= length) return name;
  return `${name.slice(0, length - 11).replace(/[^a-z0-9]+$/i, "")}-${hash(name).slice(0, 10)}`;
}

/** The name of the result of a task on a node. */
export function resultName(task: string, node: string): string {
  return shortened(`${task}.${node}`, 253);
}

/** The value of a label, which has at most 63 characters. */
export function labelValue(name: string): string {
  return shortened(name, 63);
}

/** Identifies a template. Only a change of the template is rolled out: other fields apply at once, without a new pod. */
export function revisionOf({ template }: Pick<NodeTaskSpec, "template">): string {
  return hash(canonical(template)).slice(0, 16);
}

/** JSON with sorted keys: the API server does not keep their order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join()}}`;
}

/** The uid of the pod of an attempt. The SDK adopts a pod with the same uid, and replaces one with another. */
export function podUid(taskUid: string, revision: string, attempt: number): string {
  const hex = hash(`${taskUid} ${revision} ${attempt}`);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
