import type { CriClient } from "../../client.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { requiredString } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import { optionalSeconds } from "../../resources/grace-period.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { defaultRootDirectory, type NodeConfig } from "../node/node-config.js";
import { lockPod } from "../node/pod-lock.js";
import { contextOf, withSignal } from "./context-of.js";
import { removeLeftovers } from "./leftovers.js";
import { systemClock } from "./probes/probe-clock.js";

/** Options of {@link removePod}. */
export interface RemovePodOptions extends CallOptions {
  /** The node that the pod was planned for, or its root directory. @defaultValue the root directory that `describeNode` chooses */
  node?: Pick<NodeConfig, "rootDirectory"> | undefined;
  /** Seconds between the stop signal and SIGKILL. @defaultValue the pod's `terminationGracePeriodSeconds` */
  gracePeriodSeconds?: number | undefined;
}

const removeFields: FieldsOf<RemovePodOptions> = { node: true, gracePeriodSeconds: true, ...callOptionFields };

/**
 * Removes a pod that an earlier run left, with its containers, volumes, logs and control group, whatever its manifest was: after a
 * crash of the program that ran it, or after `release`. Runs its `preStop` hooks. Succeeds if there is no such pod. Pods of a kubelet
 * are not touched.
 *
 * @throws CriError `ALREADY_EXISTS` if a program still runs the pod
 */
export async function removePod(
  cri: CriClient,
  pod: { name: string; namespace?: string | undefined },
  options: RemovePodOptions = {},
): Promise<void> {
  checkOptions(options, removeFields);
  const { node, gracePeriodSeconds, ...given } = pinDeadline(options);
  const seconds = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
  const name = requiredString(pod?.name, "pod.name");
  const namespace = pod.namespace ?? "default";
  const rootDirectory = requiredString(node?.rootDirectory ?? defaultRootDirectory, "options.node.rootDirectory");
  const client = contextOf(cri);
  await using _lock = await lockPod({ rootDirectory }, { namespace, name });
  const request = { name, namespace, rootDirectory, keep: undefined, gracePeriodSeconds: seconds };
  await removeLeftovers({ client, clock: systemClock, emit: () => {} }, request, withSignal(given, client));
}
