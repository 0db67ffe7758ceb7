import { accessSync } from "node:fs";

/** The directory in which the kernel provides a path for each open file of this process. */
export const descriptors = "/proc/self/fd";

let isAvailable: boolean | undefined;

/**
 * Returns whether the paths of descriptors work. They work on Linux, unless `/proc` is missing (as in some chroots) or denied.
 */
export function hasDescriptors(): boolean {
  isAvailable ??= process.platform === "linux" && isAllowed(descriptors);
  return isAvailable;
}

function isAllowed(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false; // for example denied by Node.js' permission model
  }
}
