import type { CriClient } from "../../client.js";
import { RegistryCredentials } from "../../credentials/registry-credentials.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { pullSecretKeys } from "../../specs/credentials/pull-secret.js";
import { asWorkflow, recordEvent } from "../../tracing/workflow.js";
import { lockPod } from "../node/pod-lock.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";
import { contextOf, withSignal } from "./context-of.js";
import { EventLog } from "./event-log.js";
import { ImagePuller } from "./image-puller.js";
import { removeLeftovers } from "./leftovers.js";
import { podEvent } from "./pod-event.js";
import { PodRun } from "./pod-run.js";
import { podSubject } from "./pod-subject.js";
import { PodWorker } from "./pod-worker.js";
import { type Clock, systemClock } from "./probes/probe-clock.js";
import type { RunnerContext } from "./runner-context.js";
import { RunningPod } from "./running-pod.js";
import { StatusWatch } from "./status-watch.js";

/**
 * Options of running a planned pod. The call options limit the beginning: locking the pod, removing another version of the document,
 * and reading the state of the pod.
 */
export interface RunPlanOptions extends CallOptions {
  /** Credentials to try after those in the pull secrets of the pod. @defaultValue the pull secrets only */
  auth?: RegistryCredentials | undefined;
}

const runFields: FieldsOf<RunPlanOptions> = { auth: true, ...callOptionFields };

/**
 * Runs a planned pod.
 *
 * @throws CriError `ALREADY_EXISTS` if another process runs a pod with this name, or the runtime does not answer
 */
export const runPod = asWorkflow({ name: "plan.run", subject: ([, plan]) => podSubject(plan) }, startPod);

async function startPod(
  cri: CriClient,
  plan: PodPlanParts,
  options: RunPlanOptions = {},
  clock: Clock = systemClock,
): Promise<RunningPod> {
  checkOptions(options, runFields);
  const { auth, ...given } = pinDeadline(options);
  const client = contextOf(cri);
  const callOptions = withSignal(given, client);
  const { name, namespace = "default" } = plan.pod.metadata;
  const events = new EventLog();
  const context: RunnerContext = {
    client,
    plan,
    clock,
    emit: (reason, message, container) => {
      recordEvent(reason);
      events.add(podEvent(reason, message, container, clock.now()));
    },
  };
  const credentials = credentialsOf(plan, auth);
  const lock = await lockPod(plan.node, { namespace, name });
  try {
    const { rootDirectory } = plan.node;
    await removeLeftovers(
      context,
      { name, namespace, rootDirectory, keep: plan, gracePeriodSeconds: undefined },
      callOptions,
    );
    const watch = new StatusWatch();
    const puller = new ImagePuller({ ...context, auth: credentials });
    const worker = new PodWorker(context, puller, watch.changed);
    await worker.start(callOptions);
    const adopted = worker.observed.sandboxes.length > 0;
    return new RunningPod(new PodRun({ context, worker, watch, events, lock, adopted }));
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function credentialsOf({ pullSecrets }: PodPlanParts, auth: RegistryCredentials | undefined) {
  const secrets = pullSecrets.map(({ name, type, document }) => {
    return { type, metadata: { name }, stringData: { [pullSecretKeys[type]]: document } };
  });
  if (secrets.length === 0) return auth;
  return auth ? auth.withSecrets(secrets) : RegistryCredentials.fromSecrets(secrets);
}
