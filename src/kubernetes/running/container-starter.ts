import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CriError } from "../../errors.js";
import { forEachSettled } from "../../internal/for-each.js";
import type { CallOptions } from "../../options.js";
import { startReconciled } from "../../resources/creation/start.js";
import { startBudget } from "../../rpcs/budget.js";
import { createTerminationLog, writeHostsFile } from "../node/pod-files.js";
import { mountSubPaths } from "../node/sub-paths.js";
import type { ContainerFacts, ContainerPlan } from "../planning/pod-plan-types.js";
import { stopGracefully } from "./container-stopper.js";
import { createContainer } from "./creation.js";
import { runHook } from "./hooks.js";
import type { ImagePuller } from "./image-puller.js";
import type { ObservedSandbox } from "./observed-pod.js";
import { hookTarget, type RunnerContext } from "./runner-context.js";
import { messageOf, StartFailure, type WaitingReason } from "./start-failure.js";

/** Which attempt of a container to start, and where. */
export interface StartRequest {
  readonly container: ContainerPlan;
  readonly attempt: number;
  readonly sandbox: ObservedSandbox;
  /** With the node's network, the node's addresses. */
  readonly podIPs: readonly string[];
}

/**
 * Starts one attempt of a container: pulls its image, prepares its files, creates and starts it, and runs its `postStart` hook. A
 * container whose hook fails is stopped.
 *
 * @throws StartFailure if a step fails; the signal's reason
 */
export async function startPlanned(
  context: RunnerContext,
  puller: ImagePuller,
  request: StartRequest,
  options: CallOptions & { signal: AbortSignal },
): Promise<void> {
  const { client, plan, emit, clock } = context;
  const { container, attempt, sandbox, podIPs } = request;
  const { name } = container;
  const step = async <T>(reason: WaitingReason, work: () => Promise<T> | T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof StartFailure || CriError.is(error, "CLIENT_CLOSED")) throw error;
      emit("Failed", `Error: ${messageOf(error)}`, name);
      throw new StartFailure(reason, messageOf(error), { cause: error });
    }
  };

  const { config: sandboxConfig } = plan.sandbox(sandbox.attempt);
  if (!sandboxConfig) throw new TypeError("a planned sandbox has a configuration");
  const image = await puller.ensure(container.image, name, sandboxConfig, options);
  const imageVolumes: Record<string, string> = {};
  for (const volume of plan.volumes) {
    if (volume.kind !== "image") continue;
    const { id } = await puller.ensure(volume.image, name, sandboxConfig, options);
    imageVolumes[volume.image.reference] = id;
  }
  const message = await step("CreateContainerConfigError", async () => {
    container.checkUser(image);
    const facts: ContainerFacts = { podSandboxId: sandbox.id, podIPs, attempt, image, imageVolumes };
    const planned = plan.createContainer(container, facts, sandboxConfig);
    await prepareFiles(context, request, facts, planned.config?.logPath ?? "");
    return planned;
  });
  const id = await step("CreateContainerError", () => createContainer(client.connection, message, options));
  emit("Created", `Created container: ${name}`, name);
  await step("RunContainerError", () =>
    startReconciled(client.connection, id, startBudget(client.connection, options, 1)),
  );
  emit("Started", `Started container ${name}`, name);
  if (!container.postStart) return;
  const started = { id, name, state: "running" } as const;
  try {
    await runHook(container.postStart, hookTarget(context, container, started, podIPs), {
      signal: options.signal,
      clock,
    });
  } catch (error) {
    options.signal.throwIfAborted();
    emit("FailedPostStartHook", `PostStartHook failed: ${messageOf(error)}`, name);
    const podGraceSeconds = plan.terminationGracePeriodSeconds;
    const none = { reason: undefined, gracePeriodSeconds: undefined, order: undefined };
    const stop = { observed: started, container, podIPs, podGraceSeconds, ...none };
    await step("PostStartHookError", () => stopGracefully(context, stop, options));
    throw new StartFailure("PostStartHookError", messageOf(error), { cause: error });
  }
}

/** Makes what a container mounts beyond the volumes of its pod, and the directory of its log, all at the same time. */
async function prepareFiles(
  { plan }: RunnerContext,
  { container, podIPs, attempt }: StartRequest,
  facts: ContainerFacts,
  logPath: string,
) {
  const hosts = plan.hostsFile(podIPs);
  const terminationLog = container.terminationMessagePath(attempt);
  const steps = [
    async () => hosts && writeHostsFile(hosts),
    () => mountSubPaths(plan.subPaths(container.name, facts)),
    async () => terminationLog !== undefined && createTerminationLog(terminationLog),
    // containerd creates the directory of the log itself, other runtimes do not.
    () => mkdir(dirname(join(plan.logDirectory, logPath)), { recursive: true, mode: 0o755 }),
  ];
  const failures = await forEachSettled(steps, steps.length, (step) => step());
  if (failures.length > 0) throw failures[0];
}
