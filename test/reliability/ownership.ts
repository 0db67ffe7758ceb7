import type { OwnedContainer, OwnedPodSandbox } from "../../src/index.js";
import type { Operation } from "./operation.js";
import type { World } from "./world.js";

/**
 * Takes down what a creation gave out, if it did, and that it had the right to: it is its own work, or that of an operation that
 * was given up, or the caller has asked for somebody else's.
 */
export function noteOwned(world: World, operation: Operation, kind: "pod" | "container", adopt: boolean): void {
  if (!operation.outcome || !("value" in operation.outcome)) return;
  const handle = operation.outcome.value as OwnedPodSandbox | OwnedContainer;
  const { id, adopted } = handle;
  const thing = world.truth.things.get(id);
  const { expectations } = world;
  const podId = "podSandboxId" in handle ? handle.podSandboxId : undefined;
  if (!thing) {
    if (!expectations.wasStateLostSince(operation.startedAt))
      world.violate(`${operation} gave ${kind} ${id}, which never was`);
  } else if (adopted) {
    if (!adopt) world.violate(`${operation} took over ${kind} ${id} without being asked to`);
    // Whoever takes over what another creation is still at work on may see it cleaned up.
    if (thing.maker) expectations.sideEffect(id, thing.maker);
  } else {
    const inherited = thing.maker?.rejected ?? false;
    if (inherited) world.statistics.count("taken over", `${kind} of a creation that was given up`);
    if (thing.maker !== operation && !inherited)
      world.violate(`${operation} gave ${kind} ${id}, the work of ${thing.maker}`);
    const other = expectations.owned.find((one) => one.handle.id === id && !one.handle.adopted);
    if (other) world.violate(`${operation} and ${other.operation} both own ${kind} ${id}`);
  }
  expectations.owned.push({ kind, handle, operation, podId, disposal: undefined, released: false });
}
