import type { Folder } from "../../../internal/files/folder.js";
import { openRegular } from "../../../internal/files/open-regular.js";

/**
 * Returns the mount points below a folder, as byte strings relative to it. Only Linux lists them; on other systems the set is
 * empty.
 */
export async function mountPointsBelow(folder: Folder): Promise<ReadonlySet<string>> {
  if (folder.isReplaceable) return new Set();
  const root = (await folder.path()).replace(/\/?$/, "/");
  const points = (await mountTable()).split("\n").map((line) => unescaped(line.split(" ")[4] ?? ""));
  return new Set(points.filter((point) => point.startsWith(root)).map((point) => point.slice(root.length)));
}

/** Reads the table as a stream, because `readFile` of Node.js 22.0 returns only the first part of a file in `/proc`. */
async function mountTable(): Promise<string> {
  await using file = await openRegular("/proc/self/mountinfo");
  let table = "";
  for await (const part of file.createReadStream({ encoding: "latin1", autoClose: false })) table += part;
  return table;
}

/** Decodes a path. The kernel writes spaces, line feeds and similar characters as a backslash and three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
