import { checkOptions } from "../../input/call-options.js";
import { callOptionsOf, pinDeadline, startBudget } from "../../rpcs/budget.js";
import { containerNames, idIn } from "../../tracing/subject.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import {
  type CreateContainerOptions,
  createContainer,
  createContainerFields,
  type PodOfContainer,
} from "./create-container.js";
import type { MadeContainer } from "./made.js";
import type { ContainerInput } from "./message-input.js";
import { rollBackCreation, withRollback } from "./rollback.js";
import { startReconciled } from "./start.js";

/** Pulls the image by the pull policy, creates the container and starts it. Removes a created container that does not start. */
export const runContainer = asWorkflow(
  {
    name: "containers.run",
    subject: ([, pod, given]) => ({ ...containerNames(given), podSandboxId: idIn(pod) }),
    result: ({ id }) => ({ containerId: id }),
  },
  createAndStart,
);

function createAndStart(
  connection: Connection,
  pod: PodOfContainer,
  given: ContainerInput,
  options: CreateContainerOptions = {},
): Promise<MadeContainer> {
  checkOptions(options, createContainerFields);
  const pinned = pinDeadline(options);
  const callOptions = callOptionsOf(pinned);
  return withRollback(connection, async (rollback) => {
    const made = await createContainer(connection, pod, given, pinned);
    if (!made.adopted) rollback.push(() => rollBackCreation(connection, made, callOptions));
    await startReconciled(connection, made.id, startBudget(connection, callOptions, 1));
    return made;
  });
}
