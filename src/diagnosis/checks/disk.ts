import { statfs } from "node:fs/promises";
import { untilAborted } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { filesystemFigures } from "../../resources/usage/figures.js";
import { type Finding, finding } from "../finding.js";
import type { DiagnosisSettings, Subject } from "../subject.js";

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
  /** `undefined` if this process cannot see the directory; `"hangs"` if its file system does not answer. */
  readonly space: DiskSpace | "hangs" | undefined;
}

async function spaceAt(path: string, subject: Subject): Promise<Pick<DiskFacts, "space">> {
  if (!subject.isLocal || path === "") return { space: undefined };
  const asking = (async () => statfs(await subject.onNode(path)))().catch(() => undefined);
  const found = await answerOf(asking, subject.settings);
  if (found === undefined || found === "hangs") return { space: found };
  return {
    space: {
      totalBytes: found.blocks * found.bsize,
      freeBytes: found.bavail * found.bsize,
      inodes: found.files,
      freeInodes: found.ffree,
    },
  };
}

/** Nothing can interrupt a call of the operating system, for example on NFS whose server is gone. So this stops waiting for it. */
async function answerOf<T>(asking: Promise<T>, { timeoutMs, signal }: DiagnosisSettings): Promise<T | "hangs"> {
  let stopTimer = () => {};
  const hanging = new Promise<"hangs">((resolve) => {
    if (timeoutMs > 0) stopTimer = startTimer(timeoutMs, () => resolve("hangs"));
  });
  try {
    return await untilAborted(Promise.race([asking, hanging]), signal);
  } finally {
    stopTimer();
  }
}

/** Judges the free space of a directory. */
export function judgeDisk({ path, purpose, wantedFree: wanted, space }: DiskFacts): Finding {
  if (space === "hangs") {
    return finding("disk", "failure", `${path}: ${purpose}; its file system does not answer`, {
      remedy: "Find out which file system this is, and reach its server again if it has one, as NFS does.",
      commands: [`findmnt --target ${path}`, "dmesg | tail"],
    });
  }
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
