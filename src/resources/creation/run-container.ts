import { callOptionsOf, pinDeadline } from "../../rpcs/budget.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import type { OwnedContainer } from "../container.js";
import type { Core } from "../core.js";
import type { PodTarget } from "../target.js";
import { type CreateContainerOptions, createContainer } from "./create-container.js";
import { withRollback } from "./rollback.js";
import { rollbackCreation } from "./rollback-creation.js";

/** Image by the pull policy, CreateContainer, StartContainer. A container that does not start is removed again, if it was made here. */
export function runContainer(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: CreateContainerOptions = {},
): Promise<OwnedContainer> {
  const pinned = pinDeadline(options);
  return withRollback(core, async (rollback) => {
    const container = await createContainer(core, pod, spec, pinned);
    if (!container.adopted) rollback.push(rollbackCreation(core, container, pinned));
    await container.start(callOptionsOf(pinned));
    return container;
  });
}
