import { InvalidInputError } from "../errors.js";
import { checkId } from "../rpcs/checked.js";

/**
 * Identifies a pod sandbox: its id or a unique prefix of it, a handle, or an object with the id of a pod, such as an entry of a
 * list, a status or the `pod` of an event.
 */
export type PodTarget = string | { readonly id: string; readonly kind?: "pod" };

/**
 * Identifies a container: its id or a unique prefix of it, a handle, or an object with the id of a container, such as an entry of a
 * list, a status or the `container` of an event. Ids may have the scheme of a Kubernetes status, as in `containerd://<id>`.
 */
export type ContainerTarget = string | { readonly id: string; readonly kind?: "container" };

type Kind = "pod" | "container";

/**
 * Returns the id of a target.
 *
 * @throws InvalidInputError if the value is not a target, or identifies an object of the other kind
 */
export function idOf(
  target: PodTarget | ContainerTarget,
  field: Kind | "id" | `filter.pod` | `containers[${number}]`,
  kind: Kind = field.includes("pod") ? "pod" : "container",
): string {
  if (typeof target !== "object" || target === null) return checkId(target, field);
  const actual = kindOf(target);
  if (actual === undefined || actual === kind) return checkId(target.id, field);
  throw new InvalidInputError({ field, message: `must be a ${kind}`, value: actual });
}

/** Returns the kind of a handle or message; undefined if it has no field that only one kind has. */
function kindOf(target: object): unknown {
  if ("kind" in target) return target.kind;
  if ("podSandboxId" in target || "imageRef" in target) return "container";
  if ("runtimeHandler" in target) return "pod";
  return undefined;
}
