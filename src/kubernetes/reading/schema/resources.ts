import type { ResourceList, ResourcesManifest } from "../../manifest/container.js";
import { containerResource, podResource, requestsWithinLimits } from "../rules/resources.js";
import { map } from "./collections.js";
import { object } from "./object.js";
import { type Check, quantity } from "./scalars.js";
import type { Schema } from "./schema.js";

const claims = { claims: "devices are allocated by a cluster" };

/** Quantities by the name of the resource. */
export function resourceList(checkName: Check): Schema<ResourceList> {
  return map(quantity, checkName);
}

function resources(checkName: Check): Schema<ResourcesManifest> {
  const amounts = resourceList(checkName);
  return object<ResourcesManifest>({ limits: amounts, requests: amounts }, { refused: claims }, requestsWithinLimits);
}

export const containerResources: Schema<ResourcesManifest> = resources(containerResource);
export const podResources: Schema<ResourcesManifest> = resources(podResource);
