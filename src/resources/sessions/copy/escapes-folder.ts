import { sep } from "node:path";

/**
 * Returns whether the name of an archive's entry may lead out of the folder that the archive is unpacked into. On Windows, a
 * backslash also separates folders, and a letter followed by a colon names a drive.
 *
 * @param separator the path separator of this platform; tests pass that of another platform
 */
export function escapesFolder(name: string, separator = sep): boolean {
  const windows = separator === "\\";
  const isAbsolute = (windows ? /^(?:[/\\]|[a-z]:)/i : /^\//).test(name);
  return isAbsolute || name.split(windows ? /[/\\]/ : "/").includes("..");
}
