import { InvalidInputError } from "../errors.js";
import { checkId } from "../rpcs/checked.js";
import type { Container } from "./container.js";
import type { PodSandbox } from "./pod.js";

/** What names a pod: its id or a handle. */
export type PodTarget = string | Pick<PodSandbox, "kind" | "id">;

/** What names a container: its id or a handle. */
export type ContainerTarget = string | Pick<Container, "kind" | "id">;

/** The id that a target stands for. */
export function idOf(
  target: PodTarget | ContainerTarget,
  field: "pod" | "container" | `filter.pod` | `containers[${number}]`,
): string {
  if (typeof target !== "object" || target === null) return checkId(target, field);
  const kind = field.includes("pod") ? "pod" : "container";
  if (target.kind !== kind) throw new InvalidInputError({ field, message: `must be a ${kind}`, value: target.kind });
  return checkId(target.id, field);
}
