import type { CallOptions } from "../../options.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { listPodDirectories } from "../node/pod-record.js";
import { podHashAnnotation, podLabels } from "../planning/pod-labels.js";
import { PodObserver } from "./observe-pod.js";
import { removeEverything } from "./remove-pod.js";
import { removePodFiles } from "./remove-pod-files.js";
import type { RunnerContext } from "./runner-context.js";
import { readStopAnnotations } from "./stop-annotations.js";

/**
 * Removes what earlier runs left of other versions of a pod's document: pods with the same name, but another uid or hash. Pods of a
 * kubelet are not touched: they lack this package's annotation.
 *
 * The caller holds the lock of the name, so no other process runs them.
 */
export async function removeOtherVersions(
  context: RunnerContext,
  options: CallOptions & { signal: AbortSignal },
): Promise<void> {
  const { plan, client } = context;
  const { connection } = client;
  const { name, namespace = "default" } = plan.pod.metadata;
  const labelSelector = { [podLabels.name]: name, [podLabels.namespace]: namespace };
  const sandboxes = await listPodSandboxes(connection, { id: "", state: undefined, labelSelector }, options);
  const others = new Set<string>();
  for (const { metadata, annotations } of sandboxes) {
    const hash = annotations[podHashAnnotation];
    if (metadata && hash !== undefined && (hash !== plan.hash || metadata.uid !== plan.uid)) others.add(metadata.uid);
  }
  const records = (await listPodDirectories(plan.node)).flatMap(({ record }) => record ?? []);
  const left = records.filter((one) => one.name === name && one.namespace === namespace);
  for (const record of left) if (record.uid !== plan.uid || record.hash !== plan.hash) others.add(record.uid);
  for (const uid of others) {
    const filter = { id: "", state: undefined, podSandboxId: "", labelSelector: { [podLabels.uid]: uid } };
    const stop = readStopAnnotations(await listContainers(connection, filter, options));
    const observer = new PodObserver(client, { uid, containers: [] });
    const request = {
      ...stop,
      gracePeriodSeconds: undefined,
      observe: () => observer.observe(options),
      removeFiles: async () => {
        for (const record of left) if (record.uid === uid) await removePodFiles(record, options.signal);
      },
    };
    const [failure] = await removeEverything(context, request, options);
    if (failure !== undefined) throw failure;
  }
}
