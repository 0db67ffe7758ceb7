import { readFile } from "node:fs/promises";
import type { Folder } from "./folder.js";

/** The mount points below a folder, as byte strings relative to it. Only Linux lists them; elsewhere there are none. */
export async function mountPointsBelow(folder: Folder): Promise<ReadonlySet<string>> {
  if (folder.isReplaceable) return new Set();
  const root = (await folder.path()).replace(/\/?$/, "/");
  const points = (await readFile("/proc/self/mountinfo", "latin1"))
    .split("\n")
    .map((line) => unescaped(line.split(" ")[4] ?? ""));
  return new Set(points.filter((point) => point.startsWith(root)).map((point) => point.slice(root.length)));
}

/** The kernel writes spaces, line feeds and the like as a backslash and three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
