import { pinDeadline } from "../calls/budget.js";
import { CriError } from "../errors.js";
import { UndoStack } from "../internal/undo.js";
import { type CallOptions, undoTimeoutMs } from "../options.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import type { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { type CreateContainerOptions, createWithImage } from "./create-container.js";
import type { PodTarget } from "./target.js";

/** Image by the pull policy, CreateContainer, StartContainer. A container that does not start is removed again. */
export async function runContainer(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: CreateContainerOptions = {},
): Promise<OwnedContainer> {
  const pinned = pinDeadline(options);
  const undo = new UndoStack();
  try {
    const container = await createWithImage(core, pod, spec, pinned);
    undo.push(() => container.remove({ timeoutMs: undoTimeoutMs }));
    await container.start(callOptionsOf(pinned));
    return container;
  } catch (error) {
    throw withSuppressed(error, await undo.undo());
  }
}

/** The first error is the one to tell; what went wrong while undoing rides along. */
export function withSuppressed(error: unknown, failures: unknown[]): unknown {
  if (failures.length > 0 && CriError.is(error)) Object.assign(error, { suppressed: failures });
  return error;
}

/** The call options among a workflow's options. */
export function callOptionsOf({ signal, timeoutMs, deadline, retry, metadata }: CallOptions): CallOptions {
  return { signal, timeoutMs, deadline, retry, metadata };
}
