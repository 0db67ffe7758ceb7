import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { lstatIfExists } from "../../internal/files/folder.js";
import { isRecord } from "../../internal/record.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";
import { diskStep } from "./disk-error.js";
import type { NodeConfig } from "./node-config.js";
import { type RemoveDirectoryOptions, removeDirectory } from "./remove-directory.js";

/** What identifies a pod on the disk after the process that ran it has ended. */
export interface PodRecord {
  namespace: string;
  name: string;
  uid: string;
  /** The hash of the document. */
  hash: string;
  podDirectory: string;
  logDirectory: string;
  /** The pod's cgroup; undefined if it has none. */
  cgroup: { path: string; driver: "cgroupfs" | "systemd" } | undefined;
}

/** The part of a plan that the record of a pod is made of. */
export type RecordedPlan = Pick<PodPlanParts, "pod" | "uid" | "hash" | "podDirectory" | "logDirectory" | "cgroup">;

const recordName = "pod.json";

/**
 * Creates the directory of a pod with its record. The directory is in its place only with its record, so that every later step can
 * be undone. The caller holds the lock of the pod's name.
 */
export async function createPodDirectory(plan: RecordedPlan): Promise<void> {
  const { pod, uid, hash, podDirectory, logDirectory, cgroup } = plan;
  const { name, namespace = "default" } = pod.metadata;
  const identity = cgroup && { path: cgroup.path, driver: cgroup.driver };
  const record: PodRecord = { namespace, name, uid, hash, podDirectory, logDirectory, cgroup: identity };
  await diskStep(`cannot create ${podDirectory}`, async () => {
    const isNew = (await lstatIfExists(podDirectory)) === undefined;
    const directory = isNew ? unfinishedDirectory(dirname(podDirectory), { namespace, name }) : podDirectory;
    if (isNew) await removeDirectory(directory);
    for (const folder of ["", "/volumes", "/plugins"]) {
      await mkdir(`${directory}${folder}`, { recursive: true, mode: 0o750 });
    }
    const path = `${directory}/${recordName}`;
    {
      await using file = await open(`${path}.tmp`, "w", 0o600);
      await file.writeFile(JSON.stringify(record));
    }
    await rename(`${path}.tmp`, path);
    if (isNew) await rename(directory, podDirectory);
  });
}

/**
 * Removes the directory of a pod, and what a killed process left that created or removed it. The caller holds the lock of the pod's
 * name.
 *
 * @param pod.podsDirectory the parent of all pods' directories
 * @param pod.podDirectory undefined removes only what a killed process left
 */
export async function removePodDirectory(
  pod: { podsDirectory: string; namespace: string; name: string; podDirectory?: string | undefined },
  { signal }: RemoveDirectoryOptions = {},
): Promise<void> {
  const { podsDirectory, podDirectory } = pod;
  const unfinished = unfinishedDirectory(podsDirectory, pod);
  await removeDirectory(unfinished, { signal });
  if (podDirectory === undefined || (await lstatIfExists(podDirectory)) === undefined) return;
  // A directory without its record would not be found again if this process were killed.
  await diskStep(`cannot remove ${podDirectory}`, () => rename(podDirectory, unfinished));
  await removeDirectory(unfinished, { signal });
}

/** Returns where the directory of a pod is created and removed. Names of pods are too long for a file name with more than the name. */
function unfinishedDirectory(pods: string, { namespace, name }: { namespace: string; name: string }): string {
  return `${pods}/.new-${createHash("sha256").update(`${namespace}/${name}`).digest("hex").slice(0, 32)}`;
}

/** A pod whose directory exists. */
export interface PodLeftover {
  podDirectory: string;
  /** Undefined if the machine stopped while the record was being written. */
  record: PodRecord | undefined;
}

/**
 * Lists the pods that have a directory on this node: those that run, and those whose process ended without removing them. Only the
 * holder of a pod's lock may remove it.
 */
export async function listPodDirectories({ rootDirectory }: Pick<NodeConfig, "rootDirectory">): Promise<PodLeftover[]> {
  const pods = `${rootDirectory}/pods`;
  return diskStep(`cannot list ${pods}`, async () => {
    const names = await readdir(pods).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return Promise.all(
      names
        .filter((name) => !name.startsWith("."))
        .map(async (name) => {
          const podDirectory = `${pods}/${name}`;
          return { podDirectory, record: await readRecord(podDirectory) };
        }),
    );
  });
}

/** Reads the record of a pod; `undefined` if it has none, or if the machine stopped while it was being written. */
async function readRecord(podDirectory: string): Promise<PodRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(`${podDirectory}/${recordName}`, "utf8"));
    return isRecord(record) ? (record as unknown as PodRecord) : undefined;
  } catch {
    return undefined;
  }
}
