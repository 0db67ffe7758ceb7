import { CriError } from "../../errors.js";
import { errorMessage } from "../../internal/error-message.js";
import { forEachSettled } from "../../internal/for-each.js";
import type { CallOptions } from "../../options.js";
import { type Container, ContainerState, type Long, type PodSandbox, PodSandboxState } from "../../proto.js";
import type { ClientContext } from "../../resources/context.js";
import { containerLogs } from "../../resources/logs/container-logs.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes, podSandboxStatus } from "../../rpcs/pods.js";
import { podLabels } from "../planning/pod-labels.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";
import type { ObservedContainer, ObservedPod, ObservedSandbox } from "./observed-pod.js";
import { isInterruptedStart } from "./restart-rules.js";
import { readTerminationMessage } from "./termination-message.js";

/** The number of statuses that are read at the same time. */
const parallelReads = 8;

/**
 * Reads the state of a pod's sandboxes and containers: from lists, and from statuses that are read once for each state of an
 * object, because they do not change later.
 */
export class PodObserver {
  readonly #context: ClientContext;
  readonly #plan: Pick<PodPlanParts, "uid" | "containers">;
  readonly #sandboxes = new Map<string, ObservedSandbox>();
  readonly #containers = new Map<string, ObservedContainer>();

  constructor(context: ClientContext, plan: Pick<PodPlanParts, "uid" | "containers">) {
    this.#context = context;
    this.#plan = plan;
  }

  /** @throws CriError if the runtime does not answer */
  async observe(options: CallOptions): Promise<ObservedPod> {
    const { connection } = this.#context;
    const labelSelector = { [podLabels.uid]: this.#plan.uid };
    const [sandboxes, containers] = await Promise.all([
      listPodSandboxes(connection, { id: "", state: undefined, labelSelector }, options),
      listContainers(connection, { id: "", state: undefined, podSandboxId: "", labelSelector }, options),
    ]);
    keepOnly(this.#sandboxes, sandboxes);
    keepOnly(this.#containers, containers);
    const failures = [
      ...(await forEachSettled(sandboxes, parallelReads, (one) => this.#readSandbox(one, options))),
      ...(await forEachSettled(containers, parallelReads, (one) => this.#readContainer(one, options))),
    ];
    if (failures.length > 0) throw failures[0];
    return {
      sandboxes: [...this.#sandboxes.values()].sort(latestFirst),
      containers: [...this.#containers.values()].sort(latestFirst),
    };
  }

  async #readSandbox({ id, metadata, state, createdAt, annotations }: PodSandbox, options: CallOptions): Promise<void> {
    const known = this.#sandboxes.get(id);
    const ready = state === PodSandboxState.SANDBOX_READY;
    const attempt = metadata?.attempt ?? 0;
    const sandbox = { id, attempt, ready, createdAt: milliseconds(createdAt), annotations };
    let podIPs = known?.podIPs ?? [];
    // Its addresses are final when it gets ready. In the node's network, it has none.
    if (ready && !known?.ready) {
      const reply = await podSandboxStatus(this.#context.connection, id, false, options).catch(unlessMissing);
      const { ip = "", additionalIps = [] } = reply?.status.network ?? {};
      podIPs = ip === "" ? [] : [ip, ...additionalIps.map((one) => one.ip)];
    }
    this.#sandboxes.set(id, { ...sandbox, podIPs });
  }

  async #readContainer(
    { id, metadata, state, podSandboxId, createdAt }: Container,
    options: CallOptions,
  ): Promise<void> {
    const known = this.#containers.get(id);
    const { name = "", attempt = 0 } = metadata ?? {};
    const found: ObservedContainer = {
      ...(known ?? {
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: "",
        message: "",
        image: "",
        imageId: "",
        logPath: "",
      }),
      ...{ id, name, attempt, sandboxId: podSandboxId, state: stateNames[state] ?? "unknown" },
      createdAt: milliseconds(createdAt),
    };
    if (known?.state === found.state) return;
    if (found.state === "created" || found.state === "unknown") {
      this.#containers.set(id, found);
      return;
    }
    const reply = await containerStatus(this.#context.connection, id, false, options).catch(unlessMissing);
    if (!reply) {
      this.#containers.delete(id);
      return;
    }
    const { status } = reply;
    const read: ObservedContainer = {
      ...found,
      state: stateNames[status.state] ?? "unknown",
      startedAt: milliseconds(status.startedAt),
      finishedAt: milliseconds(status.finishedAt),
      exitCode: status.exitCode,
      reason: status.reason,
      message: status.message,
      image: status.image?.userSpecifiedImage || status.image?.image || "",
      imageId: status.imageId || status.imageRef,
      logPath: status.logPath,
    };
    // The runtime's own message says that a start was interrupted.
    const hasMessage = read.state === "exited" && !isInterruptedStart(read);
    const message = hasMessage ? await this.#terminationMessage(read, options) : "";
    this.#containers.set(id, { ...read, message: message || read.message });
  }

  /** Reads the termination message. A message that cannot be read must not stop the pod. */
  async #terminationMessage(
    { id, name, attempt, exitCode }: ObservedContainer,
    { signal }: CallOptions,
  ): Promise<string> {
    const container = this.#plan.containers.find((one) => one.name === name);
    if (!container) return "";
    const { terminationMessagePolicy: policy } = container;
    const readLog = async (tailLines: number) => {
      let text = "";
      const options = { tailLines, signal, encoding: "utf8" } as const;
      for await (const line of containerLogs(this.#context, id, options)) if ("text" in line) text += `${line.text}\n`;
      return text;
    };
    try {
      const path = container.terminationMessagePath(attempt);
      return await readTerminationMessage({ path, policy, exitCode }, readLog);
    } catch (error) {
      signal?.throwIfAborted();
      return `the termination message cannot be read: ${errorMessage(error)}`;
    }
  }
}

const stateNames: Readonly<Partial<Record<ContainerState, ObservedContainer["state"]>>> = {
  [ContainerState.CONTAINER_CREATED]: "created",
  [ContainerState.CONTAINER_RUNNING]: "running",
  [ContainerState.CONTAINER_EXITED]: "exited",
};

function keepOnly(known: Map<string, unknown>, listed: readonly { id: string }[]): void {
  const ids = new Set(listed.map(({ id }) => id));
  for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
}

/** Compares by attempts first: the clock of the node may have been set back between two of them. */
function latestFirst(a: { attempt: number; createdAt: number }, b: { attempt: number; createdAt: number }): number {
  return b.attempt - a.attempt || b.createdAt - a.createdAt;
}

/** Converts to milliseconds with their fractions: two containers may begin and end within one. */
function milliseconds(nanoseconds: Long): number {
  return Math.max(0, nanoseconds.toNumber() / 1e6);
}

function unlessMissing(error: unknown): undefined {
  if (CriError.is(error, "NOT_FOUND")) return undefined;
  throw error;
}
