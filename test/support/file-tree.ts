import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * What is below a folder, one line for each thing, sorted: `folder 755 a`, `file 644 a/b: content`, `link a/c -> target`. A file
 * that has several names has their number in front: `2 file 644 …`. Names have a character for each byte.
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
