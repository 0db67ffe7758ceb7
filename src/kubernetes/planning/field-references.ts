import { isIPv6 } from "node:net";
import type { FieldReferenceManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import { goQuote } from "./go-quote.js";
import { podAnnotations } from "./labels.js";
import { namespaceOf, type PodContext } from "./pod-context.js";

/**
 * Returns the value of a `fieldRef` of an environment variable; undefined if the path is not supported. Missing labels and
 * annotations are empty strings.
 */
export function variableField(context: PodContext, path: string, podIPs: readonly string[]): string | undefined {
  const { pod, node } = context;
  switch (path) {
    case "spec.nodeName":
      return node.nodeName;
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "default";
    case "status.hostIP":
      return node.addresses[0] ?? "";
    case "status.hostIPs":
      return node.addresses.join(",");
    case "status.podIP":
      return addressesOf(context, podIPs)[0] ?? "";
    case "status.podIPs":
      return addressesOf(context, podIPs).join(",");
    default:
      return metadataField(context, path);
  }
}

/**
 * Returns the value of a `fieldRef` of a file; undefined if the path is not supported. `metadata.labels` and `metadata.annotations`
 * are lines of the form `key="value"`, sorted by key.
 */
export function fileField(context: PodContext, path: string): string | undefined {
  if (path === "metadata.labels") return linesOf(context.pod.metadata.labels);
  if (path === "metadata.annotations") return linesOf(podAnnotations(context.pod));
  return metadataField(context, path);
}

/** Adds the fault of a path that is not supported. */
export function fieldFault({ fieldPath }: FieldReferenceManifest, path: string, faults: ManifestFaults): undefined {
  const examples = "metadata.name or metadata.labels['app']";
  faults.add(
    `${path}.fieldPath`,
    `is not supported here; use a path such as ${examples}, got ${JSON.stringify(fieldPath)}`,
  );
}

function metadataField(context: PodContext, path: string): string | undefined {
  const { metadata } = context.pod;
  if (path === "metadata.name") return metadata.name;
  if (path === "metadata.namespace") return namespaceOf(context);
  if (path === "metadata.uid") return context.uid;
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path) ?? [];
  if (key === undefined) return undefined;
  const values = map === "labels" ? (metadata.labels ?? {}) : podAnnotations(context.pod);
  return Object.hasOwn(values, key) ? values[key] : "";
}

function linesOf(values: Readonly<Record<string, string>> = {}): string {
  const entries = Object.entries(values).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return entries.map(([key, value]) => `${key}=${goQuote(value)}`).join("\n");
}

/** Returns one address of each family, the family of the node's first address first. */
function addressesOf({ pod, node }: PodContext, podIPs: readonly string[]): string[] {
  if (podIPs.length === 0 && pod.spec.hostNetwork) return [...node.addresses];
  const v6First = isIPv6(node.addresses[0] ?? "");
  const first = podIPs.find((address) => isIPv6(address) === v6First);
  const second = podIPs.find((address) => isIPv6(address) !== v6First);
  return [first, second].filter((address) => address !== undefined);
}
