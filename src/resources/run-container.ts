import { callOptionsOf, pinDeadline } from "../calls/budget.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import type { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { type CreateContainerOptions, createContainer } from "./create-container.js";
import type { PodTarget } from "./target.js";
import { undoCreation } from "./undo-creation.js";
import { undoing } from "./undoing.js";

/** Image by the pull policy, CreateContainer, StartContainer. A container that does not start is removed again, if it was made here. */
export function runContainer(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: CreateContainerOptions = {},
): Promise<OwnedContainer> {
  const pinned = pinDeadline(options);
  return undoing(core, async (undo) => {
    const container = await createContainer(core, pod, spec, pinned);
    if (!container.adopted) undo.push(undoCreation(core, container, pinned));
    await container.start(callOptionsOf(pinned));
    return container;
  });
}
