import type { V1LabelSelector, V1LabelSelectorRequirement } from "@kubernetes/client-node";
import type { NodeTaskSpec } from "./types.js";

export interface NodeIdentity {
  name: string;
  labels: Readonly<Record<string, string>>;
}

/** Returns whether a task is for a node. */
export function isForNode({ nodes }: NodeTaskSpec, { name, labels }: NodeIdentity): boolean {
  if (nodes?.names === undefined && nodes?.selector === undefined) return true;
  return (nodes.names?.includes(name) ?? false) || (nodes.selector !== undefined && matches(nodes.selector, labels));
}

function matches(
  { matchLabels = {}, matchExpressions = [] }: V1LabelSelector,
  labels: NodeIdentity["labels"],
): boolean {
  const isEqual = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return isEqual && matchExpressions.every((expression) => meets(expression, labels));
}

function meets({ key, operator, values = [] }: V1LabelSelectorRequirement, labels: NodeIdentity["labels"]): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}
