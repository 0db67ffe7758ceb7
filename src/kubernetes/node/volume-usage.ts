import type { VolumePlan } from "../planning/pod-plan-types.js";
import { diskStep, refuseDisk } from "./disk-error.js";
import { runSystemProgram } from "./system-program.js";

/** An `emptyDir` on disk that uses more than its `sizeLimit`. */
export interface OverfullVolume {
  name: string;
  usedBytes: bigint;
  limitBytes: bigint;
}

/**
 * Returns the first `emptyDir` on disk that uses more than its `sizeLimit`. A kubelet evicts the pod then; nothing prevents a
 * container from writing more. A tmpfs has its limit from the kernel.
 */
export async function findOverfullVolume(volumes: readonly VolumePlan[]): Promise<OverfullVolume | undefined> {
  for (const volume of volumes) {
    if (!hasDiskLimit(volume)) continue;
    const { name, path, sizeLimitBytes: limitBytes } = volume;
    const usedBytes = await diskStep(`the size of volume ${JSON.stringify(name)}`, () => usedBytesOf(path));
    if (usedBytes > limitBytes) return { name, usedBytes, limitBytes };
  }
  return undefined;
}

/** Returns whether a volume is an `emptyDir` on disk with a limit, so that its size has to be measured. */
export function hasDiskLimit(
  volume: VolumePlan,
): volume is Extract<VolumePlan, { kind: "emptyDir" }> & { sizeLimitBytes: bigint } {
  return volume.kind === "emptyDir" && volume.medium === "disk" && (volume.sizeLimitBytes ?? 0n) > 0n;
}

/** Returns the space that a directory uses on its own file system, as `du` measures it for kubelets. */
async function usedBytesOf(path: string): Promise<bigint> {
  // The exit code is not 0 if files disappear meanwhile; the sum is still printed.
  const { stdout, stderr } = await runSystemProgram("du", ["-x", "-s", "-k", path]);
  const kibibytes = /^(\d+)\t/m.exec(stdout)?.[1];
  return kibibytes === undefined ? refuseDisk(`du failed: ${stderr}`) : BigInt(kibibytes) * 1_024n;
}
