import { sep } from "node:path";

/**
 * Whether the name of an archive's entry may lead out of the folder that the archive is unpacked into. On Windows, a backslash
 * separates folders too, and a letter with a colon names a drive.
 *
 * @param separator the one of this platform; tests pass the other one
 */
export function escapesFolder(name: string, separator = sep): boolean {
  const windows = separator === "\\";
  const isAbsolute = (windows ? /^(?:[/\\]|[a-z]:)/i : /^\//).test(name);
  return isAbsolute || name.split(windows ? /[/\\]/ : "/").includes("..");
}
