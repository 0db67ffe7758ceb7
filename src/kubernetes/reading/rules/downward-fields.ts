import { milliUnits, wholeUnits } from "../../../specs/quantity.js";
import type { ResourceReferenceManifest } from "../../manifest/container.js";
import type { Place } from "../schema/place.js";
import type { Check } from "../schema/scalars.js";
import type { Draft } from "../schema/schema.js";
import { annotationKey, qualifiedName } from "./names.js";

const common = ["metadata.name", "metadata.namespace", "metadata.uid"];
const variables = [
  ...common,
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const files = [...common, "metadata.labels", "metadata.annotations"];

/** The fields of a pod that an environment variable can contain. */
export const fieldOfVariable: Check = (path) => checkField(path, variables);

/** The fields of a pod that a file can contain. */
export const fieldOfFile: Check = (path) => checkField(path, files);

function checkField(path: string, known: readonly string[]): string | undefined {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path) ?? [];
  if (key === undefined) {
    const names = [...known, "metadata.labels['<key>']", "metadata.annotations['<key>']"];
    return known.includes(path) ? undefined : `must be one of ${names.join(", ")}`;
  }
  const wrong = map === "labels" ? qualifiedName(key) : annotationKey(key);
  return wrong && `must have a valid key in its brackets, which ${wrong}`;
}

const resources = ["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`limits.${name}`, `requests.${name}`]);

export const resourceField: Check = (value) => {
  if (resources.includes(value) || /^(limits|requests)\.hugepages-./.test(value)) return undefined;
  return `must be one of ${resources.join(", ")}, limits.hugepages-<size>, requests.hugepages-<size>`;
};

const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/** Checks that a divisor is a unit: Kubernetes accepts no others. 0 means 1. */
export function divisorRule({ resource, divisor }: Draft<ResourceReferenceManifest>, at: Place): void {
  if (resource === undefined || divisor === undefined) return;
  const place = at.at("divisor");
  if (resource.endsWith(".cpu")) {
    if (![0n, 1n, 1000n].includes(milliUnits(divisor, ""))) place.refuse('must be "1m" or "1" for cpu', divisor);
  } else if (![0n, ...byteDivisors.map((unit) => wholeUnits(unit, ""))].includes(wholeUnits(divisor, ""))) {
    place.refuse(`must be one of ${byteDivisors.join(", ")}`, divisor);
  }
}
