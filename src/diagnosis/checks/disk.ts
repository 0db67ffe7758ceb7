import { statfs } from "node:fs/promises";
import { filesystemFigures } from "../../resources/usage/figures.js";
import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

/** Below these shares of free space, a kubelet removes images or evicts pods by default (`evictionHard`). */
const wantedFree = { images: 0.15, logs: 0.1, inodes: 0.05 } as const;

/** The directory of the logs of pods. */
const logDirectory = "/var/log/pods";

/** Checks the free space for images, containers and logs. */
export async function checkDisk(subject: Subject): Promise<Finding[]> {
  const { imageFilesystems, containerFilesystems } = await subject.cri.images.fsInfo(subject.callOptions);
  const used = [...imageFilesystems, ...containerFilesystems].flatMap(
    (filesystem) => filesystemFigures(filesystem) ?? [],
  );
  const byPath = new Map(used.map(({ mountpoint = "", usedBytes }) => [mountpoint, usedBytes]));
  const findings: Finding[] = [];
  for (const [path, usedBytes] of byPath) {
    const use = `images and containers use ${size(usedBytes ?? 0)}`;
    findings.push(judgeDisk({ path, purpose: use, wantedFree: wantedFree.images, ...(await spaceAt(path, subject)) }));
  }
  const logs = await spaceAt(logDirectory, subject);
  if (logs.space)
    findings.push(judgeDisk({ path: logDirectory, purpose: "logs", wantedFree: wantedFree.logs, ...logs }));
  return findings.length > 0 ? findings : [finding("disk", "skipped", "the runtime reports no file system of images")];
}

/** The space of a file system. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** A directory on a disk. */
export interface DiskFacts {
  readonly path: string;
  readonly purpose: string;
  /** The share of free space below which the finding is a warning. */
  readonly wantedFree: number;
  /** `undefined` if this process cannot see the directory. */
  readonly space: DiskSpace | undefined;
}

async function spaceAt(path: string, subject: Subject): Promise<{ space: DiskSpace | undefined }> {
  if (!subject.isLocal || path === "") return { space: undefined };
  const found = await statfs(await subject.onNode(path)).catch(() => undefined);
  const space = found && {
    totalBytes: found.blocks * found.bsize,
    freeBytes: found.bavail * found.bsize,
    inodes: found.files,
    freeInodes: found.ffree,
  };
  return { space };
}

/** Judges the free space of a directory. */
export function judgeDisk({ path, purpose, wantedFree: wanted, space }: DiskFacts): Finding {
  if (space === undefined || space.totalBytes === 0) {
    return finding("disk", "ok", `${path || "(no path)"}: ${purpose}; its free space is not visible to this process`);
  }
  const share = space.freeBytes / space.totalBytes;
  // Some file systems, such as btrfs, have no fixed number of inodes and report 0.
  const inodes = space.inodes === 0 ? 1 : space.freeInodes / space.inodes;
  const found = `${path}: ${purpose}, ${size(space.freeBytes)} free (${percent(share)})${inodes < wantedFree.inodes ? `, ${percent(inodes)} of the inodes` : ""}`;
  const extras = {
    remedy: "Remove what is no longer needed, or enlarge the disk. A kubelet would remove images and evict pods.",
    commands: [`df -h ${path}`, "npx k8s-cri-client prune --dry-run"],
  };
  if (space.freeBytes === 0 || inodes === 0) return finding("disk", "failure", `full: ${found}`, extras);
  const isScarce = share < wanted || inodes < wantedFree.inodes;
  return isScarce ? finding("disk", "warning", found, extras) : finding("disk", "ok", found);
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** Formats bytes: `1.5 GiB`. */
function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
