import { closest } from "../../../internal/closest.js";
import { parseQuantity } from "../../../specs/quantity.js";
import type { QuantityManifest, ResourcesManifest } from "../../manifest/container.js";
import type { PodManifest, PodManifestSpec } from "../../manifest/pod.js";
import { type Amounts, amountsOf } from "../../planning/amounts.js";
import { podResourcesOf } from "../../planning/pod-resources.js";
import { type Place, shown } from "../schema/place.js";
import type { Check } from "../schema/scalars.js";
import type { Draft } from "../schema/schema.js";

const names = ["cpu", "memory", "ephemeral-storage"];
const hugePages = /^hugepages-([1-9]\d*[KMGT]i)$/;

/** Names of the resources of a container. */
export const containerResource: Check = (name) => {
  if (names.includes(name) || hugePages.test(name)) return undefined;
  if (name.includes("/"))
    return "is not supported: extended resources need a device plugin; mount the device with hostPath";
  const meant = closest(name, names);
  return `must be cpu, memory, ephemeral-storage or hugepages-<size>${meant ? `; did you mean ${meant}?` : ""}`;
};

/** Names of the resources of a whole pod. */
export const podResource: Check = (name) =>
  name === "cpu" || name === "memory" || hugePages.test(name)
    ? undefined
    : "must be cpu, memory or hugepages-<size> for a whole pod";

type Resources = Draft<ResourcesManifest>;

/** Checks that no request is above its limit, and the rules of huge pages, which cannot be overcommitted. */
export function requestsWithinLimits({ limits = {}, requests = {} }: Resources, at: Place): void {
  for (const [name, request] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    const place = at.at("requests", name);
    if (request === undefined) continue;
    if (hugePages.test(name)) {
      if (limit === undefined) place.fault("needs a limit of the same amount: huge pages cannot be overcommitted");
      else if (amount(request) !== amount(limit))
        place.refuse(`must be the same as the limit, ${shown(limit)}`, request);
    } else if (limit !== undefined && amount(request) > amount(limit)) {
      place.refuse(`must be at most the limit, ${shown(limit)}`, request);
    }
  }
  const all = { ...requests, ...limits };
  for (const [name, value] of Object.entries(limits)) {
    const size = hugePages.exec(name)?.[1];
    if (size === undefined || value === undefined) continue;
    const place = at.at("limits", name);
    if (amount(value) % amount(size) !== 0n) place.refuse(`must be a multiple of the page size, ${size}`, value);
    if (!Object.hasOwn(all, "cpu") && !Object.hasOwn(all, "memory")) place.fault("needs cpu or memory as well");
  }
}

/** Checks the resources of the whole pod against those of its containers. */
export function podWithinContainers(spec: Draft<PodManifestSpec>, at: Place): void {
  const { limits = {}, requests = {} } = spec.resources ?? {};
  const containers = spec.containers ?? [];
  for (const [name, limit] of Object.entries(limits)) {
    if (limit === undefined) continue;
    for (const [index, container] of containers.entries()) {
      const own = container?.resources?.limits?.[name];
      if (own === undefined || amount(own) <= amount(limit)) continue;
      at.at("containers", index, "resources", "limits", name).refuse(
        `must be at most the pod's limit, ${shown(limit)}`,
        own,
      );
    }
  }
  const needed = requestsOfContainers(spec);
  for (const [name, amounts] of needed) {
    // The default of a request of the pod is what the containers request, which its limit must allow.
    const field = Object.hasOwn(requests, name) ? "requests" : "limits";
    const value = { requests, limits }[field][name];
    if (value === undefined || amounts <= amountsOf({ [name]: value }, "").get(name)!) continue;
    at.at("resources", field, name).refuse("must be at least what the containers request together", value);
  }
}

/** Returns what the containers request together. Empty if faults make it unknown. */
function requestsOfContainers(spec: Draft<PodManifestSpec>): Amounts {
  const { containers = [], initContainers = [] } = spec;
  const all = [...initContainers, ...containers];
  const names = new Set(all.map((container) => container?.name));
  if (names.size < all.length || hasFault(all)) return new Map();
  return podResourcesOf({ spec: { containers, initContainers } } as PodManifest, undefined).containerRequests;
}

/** Returns whether a draft contains a field with a fault. */
function hasFault(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.values(value).some(hasFault));
}

function amount(value: QuantityManifest): bigint {
  return parseQuantity(value, "");
}
