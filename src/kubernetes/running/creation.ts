import { randomUUID } from "node:crypto";
import type { CallOptions } from "../../options.js";
import {
  type Container,
  ContainerState,
  type CreateContainerRequest,
  type PodSandbox,
  PodSandboxState,
  type RunPodSandboxRequest,
} from "../../proto.js";
import { quirksOf } from "../../resources/creation/creation.js";
import type { CreationMark } from "../../resources/creation/creation-mark.js";
import { createReconciled } from "../../resources/creation/reconcile.js";
import { removeContainer, removePod } from "../../resources/stopping.js";
import { startBudget } from "../../rpcs/budget.js";
import * as containerCalls from "../../rpcs/containers.js";
import { canNeverStart } from "../../rpcs/error-messages/busy.js";
import * as podCalls from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";

/*
 * The messages are sent exactly as planned, without the annotation by which other creations of this package find their object
 * after a lost reply. It is not needed: only the runner that holds the pod's lock creates objects with the pod's uid, so any
 * object with the right name and attempt is its own.
 */

/** Calls RunPodSandbox with a planned message. Creates exactly one sandbox, even if the reply is lost. */
export async function createSandbox(
  connection: Connection,
  { config, runtimeHandler }: RunPodSandboxRequest,
  options: CallOptions,
): Promise<string> {
  const { metadata } = config ?? {};
  if (!config || !metadata) throw new TypeError("a planned sandbox has metadata");
  const mark = newMark();
  const { id } = await createReconciled({
    description: `pod sandbox ${metadata.namespace}/${metadata.name} (attempt ${metadata.attempt})`,
    origin: { method: "RuntimeService/RunPodSandbox", endpoint: connection.endpoint },
    mark,
    adopt: false,
    budget: startBudget(connection, options, 2),
    mayExist: true,
    quirks: (o) => quirksOf(connection, "pod", o),
    create: (o) => podCalls.runPodSandbox(connection, config, runtimeHandler, o),
    find: async (o) => {
      const isSame = (one: PodSandbox) =>
        one.metadata?.uid === metadata.uid && one.metadata.attempt === metadata.attempt;
      const found = (await podCalls.listPodSandboxes(connection, undefined, o)).find(isSame);
      if (!found) return undefined;
      const fresh = found.state === PodSandboxState.SANDBOX_READY;
      return { id: found.id, mark, fresh, state: PodSandboxState[found.state] ?? String(found.state) };
    },
    remove: (id, o) => removePod(connection, id, () => 0, startBudget(connection, o, 1)),
  });
  return id;
}

/** Calls CreateContainer with a planned message. Creates exactly one container, even if the reply is lost. */
export async function createContainer(
  connection: Connection,
  { podSandboxId, config, sandboxConfig }: CreateContainerRequest,
  options: CallOptions,
): Promise<string> {
  const { metadata } = config ?? {};
  if (!config || !metadata || !sandboxConfig) throw new TypeError("a planned container has metadata and a sandbox");
  const mark = newMark();
  const { id } = await createReconciled({
    description: `container ${metadata.name} (attempt ${metadata.attempt}) in pod ${podSandboxId}`,
    origin: { method: "RuntimeService/CreateContainer", endpoint: connection.endpoint },
    mark,
    adopt: false,
    budget: startBudget(connection, options, 1),
    mayExist: true,
    quirks: (o) => quirksOf(connection, "container", o),
    create: (o) => containerCalls.createContainer(connection, podSandboxId, config, sandboxConfig, o),
    find: async (o) => {
      const isSame = (one: Container) =>
        one.metadata?.name === metadata.name && one.metadata.attempt === metadata.attempt;
      const filter = { id: "", state: undefined, podSandboxId, labelSelector: {} };
      const found = (await containerCalls.listContainers(connection, filter, o)).find(isSame);
      if (!found) return undefined;
      const created = found.state === ContainerState.CONTAINER_CREATED;
      const { info } = created ? await containerCalls.containerStatus(connection, found.id, true, o) : { info: {} };
      const fresh = created && !canNeverStart(info);
      return { id: found.id, mark, fresh, state: ContainerState[found.state] ?? String(found.state) };
    },
    remove: (id, o) => removeContainer(connection, id, 0, startBudget(connection, o, 1)),
  });
  return id;
}

function newMark(): CreationMark {
  return { hash: "planned", nonce: randomUUID() };
}
