import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Lists a folder recursively, one sorted line per entry: `folder 755 a`, `file 644 a/b: content`, `link a/c -> target`. The line of
 * a file with several hard links starts with their number: `2 file 644 …`. Names are decoded as latin1, one character per byte.
 */
export async function treeOf(folder: string, below = ""): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(Buffer.from(join(folder, below), "latin1"), "latin1")).sort()) {
    const path = below ? `${below}/${name}` : name;
    const whole = Buffer.from(join(folder, path), "latin1");
    const stats = await lstat(whole);
    const mode = (stats.mode & 0o7777).toString(8);
    const count = stats.isFile() && stats.nlink > 1 ? `${stats.nlink} ` : "";
    if (stats.isSymbolicLink()) lines.push(`link ${path} -> ${await readlink(whole)}`);
    else if (stats.isDirectory()) lines.push(`folder ${mode} ${path}`, ...(await treeOf(folder, path)));
    else lines.push(`${count}file ${mode} ${path}: ${await readFile(whole, "latin1")}`);
  }
  return lines;
}
