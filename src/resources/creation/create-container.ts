import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import { ContainerConfig, ContainerState, type PodSandboxConfig } from "../../proto.js";
import { pinDeadline, startBudget } from "../../rpcs/budget.js";
import * as rpcs from "../../rpcs/containers.js";
import { canNeverStart } from "../../rpcs/error-messages/busy.js";
import { containerNames, idIn } from "../../tracing/subject.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { ensureImage, type PullOptions, type PullPolicy } from "../ensure-image.js";
import { annotateGracePeriod } from "../grace-period.js";
import { createLogFolder, type LogFolder } from "../log-folder.js";
import { removeContainer } from "../stopping.js";
import { idOf } from "../target.js";
import { quirksOf } from "./creation.js";
import { markCreation, readMark } from "./creation-mark.js";
import type { MadeContainer, MadePod } from "./made.js";
import { type ContainerInput, readContainer } from "./message-input.js";
import { checkPodConfig, podConfigOf } from "./pod-config.js";
import { createReconciled } from "./reconcile.js";

/**
 * Options of the workflows that create a container. `timeoutMs` and `deadline` limit all their steps together. Without them, each
 * step has the default limit of its RPC, and a pull has none.
 */
export interface CreateContainerOptions extends CallOptions {
  /** When to pull the image. @defaultValue "missing" */
  pullPolicy?: PullPolicy | undefined;
  /** Credentials for the pull: see {@link PullOptions.auth}. */
  auth?: PullOptions["auth"];
  /**
   * The pod's configuration, which CreateContainer must repeat: it determines the user, namespaces, DNS and logs of the container.
   *
   * Required only for a pod that another program created, on a runtime that does not report the configuration (CRI-O, Docker).
   * There, a creation without it is refused. `"unknown"` creates the container without the pod's settings: it may run as root even
   * if the pod sets another user.
   *
   * @defaultValue the configuration of the owning handle, else the one that the runtime reports, else the one in the annotations
   *   that this package adds to its pods
   */
  podConfig?: PodSandboxConfig | "unknown" | undefined;
  /**
   * Adopts a container with this name and attempt that another process or call created from the same configuration, if it has not
   * been started. The handle then owns it: see its `adopted`.
   *
   * @defaultValue false: `NameReservedError`
   */
  adopt?: boolean | undefined;
}

export const createContainerFields: FieldsOf<CreateContainerOptions> = {
  pullPolicy: true,
  auth: true,
  podConfig: true,
  adopt: true,
  ...callOptionFields,
};

/** The pod of a new container. The handle that created the pod also has its settings. */
export type PodOfContainer =
  | string
  | ({ readonly id: string; readonly kind?: "pod" } & Partial<
      Readonly<Pick<MadePod, "config" | "terminationGracePeriodSeconds">>
    >);

/** Pulls the image by the pull policy, then calls CreateContainer. A pulled image stays on the node, also after a failure. */
export const createContainer = asWorkflow(
  {
    name: "containers.create",
    subject: ([, pod, given]) => ({ ...containerNames(given), podSandboxId: idIn(pod) }),
    result: ({ id }) => ({ containerId: id }),
  },
  pullAndCreate,
);

async function pullAndCreate(
  connection: Connection,
  pod: PodOfContainer,
  given: ContainerInput,
  options: CreateContainerOptions = {},
): Promise<MadeContainer> {
  checkOptions(options, createContainerFields);
  const { pullPolicy, auth, podConfig: givenPodConfig, adopt, ...callOptions } = pinDeadline(options);
  const podSandboxId = idOf(pod, "pod");
  const known = typeof pod === "string" ? undefined : pod;
  checkPodConfig(givenPodConfig);
  // Invalid input must fail before any I/O.
  const { draft, image: imageInput } = readContainer(given);
  const podConfigs = { given: givenPodConfig, known: known?.config };
  const podConfig = await podConfigOf(connection, podSandboxId, podConfigs, callOptions);
  const image = await ensureImage(connection, imageInput, { ...callOptions, pullPolicy, auth, podConfig });
  const { config, terminationGracePeriodSeconds } = draft.complete({
    pod: podConfig,
    image: image.id,
    terminationGracePeriodSeconds: known?.terminationGracePeriodSeconds,
  });
  const request = { podSandboxId, podConfig, config, terminationGracePeriodSeconds, adopt };
  return createFromConfig(connection, request, callOptions);
}

/** The arguments of {@link createFromConfig}. */
export interface ContainerRequest extends Omit<MadeContainer, "id" | "adopted"> {
  adopt?: boolean | undefined;
}

/** Creates exactly one container (CreateContainer), even if the reply is lost. */
export async function createFromConfig(
  connection: Connection,
  { adopt = false, ...request }: ContainerRequest,
  options: CallOptions,
): Promise<MadeContainer> {
  const { podSandboxId, podConfig } = request;
  const annotations = annotateGracePeriod(request.terminationGracePeriodSeconds);
  const { config, mark } = markCreation(ContainerConfig, request.config, annotations);
  const { name = "", attempt = 0 } = config.metadata ?? {};
  let logFolder: LogFolder | undefined;
  const { id, adopted } = await createReconciled({
    description: `container ${name} (attempt ${attempt}) in pod ${podSandboxId}`,
    origin: { method: "RuntimeService/CreateContainer", endpoint: connection.endpoint },
    mark,
    adopt,
    budget: startBudget(connection, options, 1),
    mayExist: true,
    quirks: (o) => quirksOf(connection, "container", o),
    create: async (o) => {
      logFolder ??= await createLogFolder(connection, podConfig, config);
      return rpcs.createContainer(connection, podSandboxId, config, podConfig, o);
    },
    find: async (given) => {
      const o = pinDeadline(given);
      const filter = { id: "", state: undefined, podSandboxId, labelSelector: {} };
      const all = await rpcs.listContainers(connection, filter, o);
      const found = all.find(({ metadata }) => metadata?.name === name && metadata.attempt === attempt);
      if (!found) return undefined;
      const created = found.state === ContainerState.CONTAINER_CREATED;
      const { info } = created ? await rpcs.containerStatus(connection, found.id, true, o) : { info: {} };
      return {
        id: found.id,
        mark: readMark(found),
        fresh: created && !canNeverStart(info),
        state: ContainerState[found.state] ?? String(found.state),
      };
    },
    remove: (containerId, o) => removeContainer(connection, containerId, 0, startBudget(connection, o, 1)),
  }).catch(async (error: unknown) => {
    await logFolder?.removeIfEmpty();
    throw error;
  });
  return { ...request, id, config, adopted, logFolder: logFolder ?? request.logFolder };
}
