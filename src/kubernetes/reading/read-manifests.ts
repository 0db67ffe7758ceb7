import { checkOptions } from "../../input/call-options.js";
import { invalid, isSet, oneOf, refuse } from "../../input/check.js";
import { maxTextBytes, readYaml } from "../../json/yaml/yaml-text.js";
import { ManifestReader, type Manifests } from "./reader.js";
import { dnsLabel } from "./rules/names.js";

/** Options of {@link readManifests} and `readManifestFiles`. */
export interface ReadManifestsOptions {
  /** The namespace of objects without one. @defaultValue "default" */
  namespace?: string | undefined;
  /** What happens to objects of other kinds, such as Ingress: an error, or an entry of `ignored`. @defaultValue "refuse" */
  unknownKinds?: "refuse" | "ignore" | undefined;
}

/**
 * Reads Kubernetes manifests: YAML with any number of documents, JSON, or objects, also those of `@kubernetes/client-node`.
 *
 * Accepts Pods; Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs, whose template becomes one pod with the
 * workload's name (StatefulSets: with `-0`); the ConfigMaps, Secrets, ServiceAccounts, RuntimeClasses and Services that pods refer
 * to; and lists of them. YAML is read as Kubernetes reads it: `0400` is octal, `yes` and `on` are booleans, duplicate keys are
 * refused. A string has at most 3 MiB. The result shares nothing with the input, and does not contain defaults: see `withDefaults`.
 *
 * Fields without a meaning on a single node, such as `replicas` and `affinity`, are returned in `ignored`.
 *
 * @throws InvalidManifestError with the faults of all documents: invalid values, unknown fields and fields that are not supported,
 * by the rules of the API server of Kubernetes 1.36
 */
export function readManifests(input: string | Uint8Array | object, options: ReadManifestsOptions = {}): Manifests {
  const reader = createReader(options);
  readInput(reader, input);
  return reader.finish();
}

/** Checks the options. */
export function createReader(options: ReadManifestsOptions): ManifestReader {
  checkOptions(options, { namespace: true, unknownKinds: true });
  const { namespace } = options;
  if (namespace !== undefined) {
    const wrong = typeof namespace === "string" ? dnsLabel(namespace) : "must be a string";
    if (wrong !== undefined) invalid("namespace", wrong, namespace);
  }
  const unknownKinds = oneOf(
    options.unknownKinds,
    "unknownKinds",
    { refuse: "refuse", ignore: "ignore" } as const,
    "refuse",
  );
  return new ManifestReader({ namespace, unknownKinds });
}

function readInput(reader: ManifestReader, input: unknown): void {
  if (typeof input === "string" || input instanceof Uint8Array) {
    readText(reader, input);
    return;
  }
  if (input instanceof URL) refuse("input", "must be YAML, JSON or objects; readManifestFiles reads files");
  if (!isSet(input) || typeof input !== "object") refuse("input", "must be YAML, JSON or objects");
  const isArray = Array.isArray(input);
  const values: readonly unknown[] = isArray ? input : [input];
  for (const [index, value] of values.entries()) reader.read({ value, path: isArray ? [index] : [] });
}

/** Reads a text. */
export function readText(reader: ManifestReader, text: string | Uint8Array, file?: string): void {
  const bytes = typeof text === "string" ? Buffer.byteLength(text) : text.length;
  if (bytes > maxTextBytes) {
    reader.addTextFault(`has ${bytes} bytes; manifests have at most ${maxTextBytes}`, file);
    return;
  }
  const decoded = typeof text === "string" ? text.replace(/^\uFEFF/, "") : decode(text);
  if (decoded === undefined) {
    reader.addTextFault("is not UTF-8", file);
    return;
  }
  for (const document of readYaml(decoded)) reader.read({ value: document.value, path: [], file, text: document });
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
