import type { OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import type { Operation } from "./operation.js";
import type { World } from "./world.js";

/**
 * Records the object that a creation returned, and checks that the caller may own the object. Unless the caller allowed adoption,
 * this operation or a failed one must have created the object.
 */
export function recordOwned(world: World, operation: Operation, kind: "pod" | "container", adopt: boolean): void {
  if (!operation.outcome || !("value" in operation.outcome)) return;
  const handle = operation.outcome.value as OwnedPodSandbox | OwnedContainer;
  const { id, adopted } = handle;
  const object = world.truth.objects.get(id);
  const { expectations } = world;
  const podId = "podSandboxId" in handle ? handle.podSandboxId : undefined;
  if (!object) {
    if (!expectations.wasStateLostSince(operation.startedAt))
      world.reportViolation(`${operation} returned ${kind} ${id}, which never existed`);
  } else if (adopted) {
    if (!adopt) world.reportViolation(`${operation} adopted ${kind} ${id} without the option`);
    // The creation of the adopted object may still fail. It then removes the object.
    if (object.creator) expectations.recordSideEffect(id, object.creator);
  } else {
    const inherited = object.creator?.rejected ?? false;
    if (inherited) world.statistics.count("adopted", `${kind} of a failed creation`);
    if (object.creator !== operation && !inherited)
      world.reportViolation(`${operation} returned ${kind} ${id}, which ${object.creator} created`);
    const other = expectations.owned.find((one) => one.handle.id === id && !one.handle.adopted);
    if (other) world.reportViolation(`${operation} and ${other.operation} both own ${kind} ${id}`);
  }
  expectations.owned.push({ kind, handle, operation, podId, disposal: undefined, released: false });
}
