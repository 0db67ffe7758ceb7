import type { CriClient } from "../../../index.js";
import { errorMessage } from "../../../internal/error-message.js";
import type { Container, Image, PodSandbox } from "../../../proto.js";
import { podName } from "../../output/cells.js";

/** What can be pruned, in the order in which it is: exited containers keep their pods, and both keep images and logs. */
export const kinds = ["containers", "pods", "images", "logs"] as const;
export type Kind = (typeof kinds)[number];

/** The options of `prune` that the user gave. */
export interface PruneOptions {
  namespace?: string;
  label?: Record<string, string>;
  minAge?: number;
  includeKubelet?: boolean;
  maxPerContainer?: number;
  keep?: string[];
  logRoot: string;
  logLinks?: string;
}

/** One object: removed, kept for a reason, or not removed because of an error. */
export interface Outcome {
  readonly kind: string;
  readonly name: string;
  readonly id: string;
  readonly result: "removed" | "kept" | "failed";
  readonly reason: string;
}

/** Prunes one kind of object, or with `dryRun` finds out what would be removed. */
export async function prune(cri: CriClient, kind: Kind, options: PruneOptions, dryRun: boolean): Promise<Outcome[]> {
  const { namespace, label: labels, minAge: minAgeMs, includeKubelet, maxPerContainer, keep } = options;
  const selection = { namespace, labels, minAgeMs, includeKubelet, dryRun };
  switch (kind) {
    case "containers":
      return outcomes(await cri.containers.prune({ ...selection, maxPerContainer }), "container", containerOf);
    case "pods":
      return outcomes(await cri.pods.prune(selection), "pod", podOf);
    case "images":
      return outcomes(await cri.images.prune({ keep, minAgeMs, dryRun }), "image", imageOf);
    case "logs":
      return logOutcomes(await cri.pods.pruneLogs(options.logRoot, { links: options.logLinks, minAgeMs, dryRun }));
  }
}

const containerOf = (container: Container) => ({ name: container.metadata?.name ?? "", id: container.id });
const podOf = (pod: PodSandbox) => ({ name: podName(pod), id: pod.id });
const imageOf = (image: Image) => ({ name: image.repoTags[0] ?? image.repoDigests[0] ?? "<none>", id: image.id });

/** What the SDK's `prune` methods return: objects, and with `kept` and `failed` in a field of the kind's name. */
interface Pruned<Name extends string, T> {
  removed: T[];
  failed: (Record<Name, T> & { error: Error })[];
  kept: (Record<Name, T> & { reason: string })[];
}

function outcomes<Name extends string, T>(
  { removed, kept, failed }: Pruned<Name, T>,
  kind: Name,
  describe: (object: T) => { name: string; id: string },
): Outcome[] {
  return [
    ...removed.map((object) => ({ kind, ...describe(object), result: "removed" as const, reason: "" })),
    ...kept.map((entry) => ({
      kind,
      ...describe(entry[kind]),
      result: "kept" as const,
      reason: reasonOf(entry.reason),
    })),
    ...failed.map((entry) => ({
      kind,
      ...describe(entry[kind]),
      result: "failed" as const,
      reason: entry.error.message,
    })),
  ];
}

function logOutcomes({
  directories,
  files,
  links,
  failed,
}: Awaited<ReturnType<CriClient["pods"]["pruneLogs"]>>): Outcome[] {
  const removed = [...directories, ...files, ...links];
  return [
    ...removed.map((name) => ({ kind: "log", name, id: "", result: "removed" as const, reason: "" })),
    ...failed.map(({ path, error }) => ({
      ...{ kind: "log", name: path, id: "", result: "failed" as const },
      reason: errorMessage(error),
    })),
  ];
}

/** The reasons of the SDK in words. */
const reasons: Readonly<Record<string, string>> = {
  running: "runs",
  created: "was not started yet",
  unknown: "its state is unknown",
  latest: "latest attempt of a pod that exists",
  kubelet: "belongs to a kubelet",
  minAgeMs: "is younger than --min-age",
  maxPerContainer: "is within --max-per-container",
  ready: "is ready",
  hasContainers: "has containers",
  pinned: "is pinned",
  used: "is used by a container",
  podSandbox: "is the image of pod sandboxes",
  keep: "matches --keep",
};

function reasonOf(reason: string): string {
  return reasons[reason] ?? reason;
}
