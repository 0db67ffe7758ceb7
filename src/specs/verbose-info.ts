/**
 * Reads the verbose info of a pod or container. CRI does not specify it. containerd and CRI-O report JSON text under `info` with
 * the process id and the OCI runtime spec; cri-dockerd reports at most the process id. Values of an unexpected type are treated
 * as not reported.
 *
 * @module
 */
import { parseExactly } from "../json/exact-json.js";
import type { JsonObject, JsonValue } from "../json/message-json.js";
import { isObject } from "../json/read-message.js";

/** A mount of a process, as the runtime set it up. */
export interface InspectedMount {
  /** The path in the container. */
  readonly destination: string;
  /** The path on the node of a bind mount; otherwise the name of the file system or device, such as `tmpfs`. */
  readonly source: string;
  /** The type of the file system, such as `bind` or `proc`; "" if the runtime does not report it. */
  readonly type: string;
  /** The options, such as `ro` and `nosuid`. */
  readonly options: readonly string[];
}

/**
 * Parses the verbose info. Integers that are not exact as a JavaScript number become strings of digits.
 *
 * @returns `undefined` if there is no info, or if it is malformed
 */
export function parseVerboseInfo(info: Readonly<Record<string, string>>): JsonObject | undefined {
  try {
    const parsed = withoutBigints(parseExactly(info.info ?? "null"));
    return isObject(parsed) ? (parsed as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the id of the main process on the node, or `undefined` if there is no process, which runtimes report as 0. */
export function pidIn(info: JsonObject | undefined): number | undefined {
  const pid = info?.pid;
  return typeof pid === "number" && Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** Returns the command line of the main process. */
export function argsIn(info: JsonObject | undefined): string[] | undefined {
  return strings(at(info, "runtimeSpec", "process", "args"));
}

/** Returns whether the main process has a terminal, which the runtime spec leaves out if it is false. */
export function terminalIn(info: JsonObject | undefined): boolean | undefined {
  const process = at(info, "runtimeSpec", "process");
  return isObject(process) ? at(process as JsonObject, "terminal") === true : undefined;
}

/** Returns the environment of the main process. Of several values of one variable, the last one applies. */
export function environmentIn(info: JsonObject | undefined): Record<string, string> | undefined {
  const entries = strings(at(info, "runtimeSpec", "process", "env"))?.map((entry) => {
    const end = entry.indexOf("=");
    return end === -1 ? [entry, ""] : [entry.slice(0, end), entry.slice(end + 1)];
  });
  return entries && Object.fromEntries(entries);
}

/** Returns the mounts of the main process. */
export function mountsIn(info: JsonObject | undefined): InspectedMount[] | undefined {
  const mounts = at(info, "runtimeSpec", "mounts");
  if (!Array.isArray(mounts)) return undefined;
  return mounts.filter(isObject).map((mount) => {
    const { destination, source, type, options } = mount as JsonObject;
    return {
      destination: text(destination),
      source: text(source),
      type: text(type),
      options: strings(options) ?? [],
    };
  });
}

/** Returns the path of the network namespace on the node, such as `/var/run/netns/cni-…`. */
export function networkNamespaceIn(info: JsonObject | undefined): string | undefined {
  const namespaces = at(info, "runtimeSpec", "linux", "namespaces");
  if (!Array.isArray(namespaces)) return undefined;
  const network = namespaces.find((namespace) => at(namespace, "type") === "network");
  return text(at(network, "path")) || undefined;
}

function at(value: JsonValue | undefined, ...path: string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? (inner as JsonObject)[key] : undefined),
    value,
  );
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function strings(value: JsonValue | undefined): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

function withoutBigints(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(withoutBigints);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutBigints(inner)]));
}
