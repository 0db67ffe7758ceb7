import type { Amounts, ResourceAmounts } from "./amounts.js";
import type { PodResources } from "./pod-resources.js";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Returns the QoS class. CPU and memory of the pod itself decide, or of all its containers. */
export function qosClassOf({ own, containers }: PodResources): QosClass {
  const parts = own === undefined ? [...containers.values()] : [own];
  if (parts.every(({ requests, limits }) => isEmpty(requests) && isEmpty(limits))) return "BestEffort";
  return parts.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

const decisive = ["cpu", "memory"];

function isEmpty(amounts: Amounts): boolean {
  return decisive.every((name) => (amounts.get(name) ?? 0n) === 0n);
}

function isGuaranteed({ requests, limits }: ResourceAmounts): boolean {
  return decisive.every((name) => {
    const limit = limits.get(name) ?? 0n;
    return limit > 0n && (requests.get(name) ?? limit) === limit;
  });
}
