import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { optionalString } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import { PodSandboxConfig, type PodSandboxMetadata, PodSandboxState } from "../../proto.js";
import { startBudget } from "../../rpcs/budget.js";
import * as rpcs from "../../rpcs/pods.js";
import { annotatePodConfig } from "../../specs/pod-config-annotation.js";
import { podNames } from "../../tracing/subject.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { removePod } from "../stopping.js";
import { quirksOf } from "./creation.js";
import { markCreation, readMark } from "./creation-mark.js";
import type { MadePod } from "./made.js";
import { type PodInput, readPod } from "./message-input.js";
import { createReconciled } from "./reconcile.js";

/** Options of `pods.run`. */
export interface RunPodOptions extends CallOptions {
  /**
   * Adopts a ready pod with this name, namespace, uid and attempt that another process or call created from the same configuration.
   * The handle then owns it: see its `adopted`.
   *
   * @defaultValue false: `NameReservedError`
   */
  adopt?: boolean | undefined;
  /**
   * The runtime handler, for a pod given as a message, which has no field for it. Replaces that of a spec.
   *
   * @defaultValue the spec's, else the runtime's default
   */
  runtimeHandler?: string | undefined;
}

const runPodFields: FieldsOf<RunPodOptions> = { adopt: true, runtimeHandler: true, ...callOptionFields };

/** Creates exactly one pod (RunPodSandbox), even if the reply is lost. */
export const runPod = asWorkflow(
  {
    name: "pods.run",
    subject: ([, given]) => podNames(given),
    result: ({ id, config }) => ({ ...podNames(config), podSandboxId: id }),
  },
  createPod,
);

async function createPod(connection: Connection, given: PodInput, options: RunPodOptions = {}): Promise<MadePod> {
  checkOptions(options, runPodFields);
  const { adopt = false, runtimeHandler, ...callOptions } = options;
  const handler = optionalString(runtimeHandler, "runtimeHandler");
  const converted = readPod(given);
  const { config, mark } = markCreation(PodSandboxConfig, converted.config, annotatePodConfig(converted.config));
  const identity = config.metadata as PodSandboxMetadata;
  const { id, adopted } = await createReconciled({
    description: `pod sandbox ${identity.namespace}/${identity.name}`,
    origin: { method: "RuntimeService/RunPodSandbox", endpoint: connection.endpoint },
    mark,
    adopt,
    budget: startBudget(connection, callOptions, 2),
    mayExist: "metadata" in given || given.uid !== undefined,
    quirks: (o) => quirksOf(connection, "pod", o),
    create: (o) => rpcs.runPodSandbox(connection, config, handler || converted.runtimeHandler, o),
    find: async (o) => {
      const all = await rpcs.listPodSandboxes(connection, undefined, o);
      const found = all.find(({ metadata }) => metadata && isSame(metadata, identity));
      if (!found) return undefined;
      return {
        id: found.id,
        mark: readMark(found),
        fresh: found.state === PodSandboxState.SANDBOX_READY,
        state: PodSandboxState[found.state] ?? String(found.state),
      };
    },
    remove: (podId, o) => removePod(connection, podId, () => 0, startBudget(connection, o, 1)),
  });
  const { terminationGracePeriodSeconds, ownLogDirectory } = converted;
  return { id, config, terminationGracePeriodSeconds, ownLogDirectory, adopted };
}

function isSame(a: PodSandboxMetadata, b: PodSandboxMetadata): boolean {
  return a.name === b.name && a.namespace === b.namespace && a.uid === b.uid && a.attempt === b.attempt;
}
