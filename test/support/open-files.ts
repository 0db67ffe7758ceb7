import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { skipWhere } from "./platform.js";

const descriptors = "/proc/self/fd";
let missing: boolean | undefined;

/** The files below a folder that this process has open. Only Linux lists them; elsewhere, none are found, and a line says so. */
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
