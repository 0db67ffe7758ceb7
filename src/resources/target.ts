import { InvalidInputError } from "../errors.js";
import { checkId } from "../rpcs/checked.js";

/**
 * What names a pod sandbox: its id (a unique beginning is enough), a handle, or an object with the id of a pod, such as an entry of a
 * list, a status or the `pod` of an event.
 */
export type PodTarget = string | { readonly id: string; readonly kind?: "pod" };

/**
 * What names a container: its id (a unique beginning is enough), a handle, or an object with the id of a container, such as an entry
 * of a list, a status or the `container` of an event. Ids may have the scheme that Kubernetes puts before them, as in
 * `containerd://<id>`.
 */
export type ContainerTarget = string | { readonly id: string; readonly kind?: "container" };

type Kind = "pod" | "container";

/**
 * The id that a target stands for.
 *
 * @throws InvalidInputError if it is no target, or stands for an object of the other kind
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

/** The kind of a handle or message; undefined if it has no field that only one kind has. */
function kindOf(target: object): unknown {
  if ("kind" in target) return target.kind;
  if ("podSandboxId" in target || "imageRef" in target) return "container";
  if ("runtimeHandler" in target) return "pod";
  return undefined;
}
