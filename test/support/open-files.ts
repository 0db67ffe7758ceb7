import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { skipWhere } from "./platform.js";

const descriptors = "/proc/self/fd";
let missing: boolean | undefined;

/** Lists the open files of this process below a folder. On systems other than Linux, returns none and prints a warning. */
export function openBelow(folder: string): string[] {
  missing ??= skipWhere(!existsSync(descriptors), "the search for files left open: there is no /proc");
  if (missing) return [];
  return readdirSync(descriptors).flatMap((fd) => {
    try {
      const target = readlinkSync(join(descriptors, fd));
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}
