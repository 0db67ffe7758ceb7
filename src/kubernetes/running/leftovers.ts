import type { CallOptions } from "../../options.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { listPodDirectories, type PodRecord, removePodDirectory } from "../node/pod-record.js";
import { podHashAnnotation, podLabels } from "../planning/pod-labels.js";
import { PodObserver } from "./observe-pod.js";
import { removeEverything } from "./remove-pod.js";
import { removePodFiles } from "./remove-pod-files.js";
import type { PodContext } from "./runner-context.js";
import { readStopAnnotations } from "./stop-annotations.js";

/** Which pods to remove. The caller holds the lock of the name, so no other process runs them. */
export interface LeftoverRequest {
  readonly name: string;
  readonly namespace: string;
  readonly rootDirectory: string;
  /** The version of the document that stays; `undefined` removes all versions. */
  readonly keep: { readonly uid: string; readonly hash: string } | undefined;
  /** @defaultValue the grace period of each pod */
  readonly gracePeriodSeconds: number | undefined;
}

/**
 * Removes what earlier runs left of the pods with a name. Pods of a kubelet are not touched: they lack this package's annotation.
 *
 * @throws CriError the first failure, after all pods were tried
 */
export async function removeLeftovers(
  context: PodContext,
  request: LeftoverRequest,
  options: CallOptions & { signal: AbortSignal },
): Promise<void> {
  const { name, namespace, keep } = request;
  const { connection } = context.client;
  const labelSelector = { [podLabels.name]: name, [podLabels.namespace]: namespace };
  const sandboxes = await listPodSandboxes(connection, { id: "", state: undefined, labelSelector }, options);
  const directories = await listPodDirectories(request);
  const records = directories
    .flatMap(({ record }) => record ?? [])
    .filter((one) => one.name === name && one.namespace === namespace);
  const found = [
    ...sandboxes.map(({ metadata, annotations }) => ({
      uid: metadata?.uid ?? "",
      hash: annotations[podHashAnnotation],
    })),
    ...records,
  ];
  const isKept = ({ uid, hash }: { uid: string; hash: string }) => keep?.uid === uid && keep.hash === hash;
  const uids = found.flatMap(({ uid, hash }) => (hash === undefined || isKept({ uid, hash }) ? [] : uid));
  const failures: unknown[] = [];
  for (const uid of new Set(uids)) {
    const files = records.filter((record) => record.uid === uid);
    const removal = removeLeftover(context, uid, files, request.gracePeriodSeconds, options);
    failures.push(...(await removal.catch((error: unknown) => [error])));
  }
  const unfinished = { podsDirectory: `${request.rootDirectory}/pods`, name, namespace };
  await removePodDirectory(unfinished, options).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function removeLeftover(
  context: PodContext,
  uid: string,
  records: readonly PodRecord[],
  gracePeriodSeconds: number | undefined,
  options: CallOptions & { signal: AbortSignal },
): Promise<unknown[]> {
  const { client } = context;
  const filter = { id: "", state: undefined, podSandboxId: "", labelSelector: { [podLabels.uid]: uid } };
  const stop = readStopAnnotations(await listContainers(client.connection, filter, options));
  const observer = new PodObserver(client, { uid, containers: [] });
  const observe = () => observer.observe(options);
  const removeFiles = async () => {
    for (const record of records) await removePodFiles(record, options.signal);
  };
  return removeEverything(context, { ...stop, gracePeriodSeconds, observe, removeFiles }, options);
}
