import { basename, extname } from "node:path";

/**
 * Returns whether a name is that of a rotated file of a log: `0.log.20261128-100000.gz`, `0.log.1`, `0.log-20261128`,
 * `0.log.old`, or `0-20261128.log`, as with logrotate's option `extension`. Names ending in `.tmp` belong to files that are still
 * being compressed. If the log's name has no extension, it may be the beginning of another log's name. In this case, the suffix
 * must begin with a digit or be `old`.
 */
export function isRotatedName(name: string, log: string): boolean {
  if (name.endsWith(".tmp")) return false;
  const extension = extname(log);
  if (name.startsWith(log)) {
    const suffix = name.slice(log.length);
    return extension === "" ? /^[.\-_~](\d|old)/.test(suffix) : /^[.\-_~]/.test(suffix);
  }
  const stem = basename(log, extension);
  const date = basename(basename(name, ".gz"), extension).slice(stem.length);
  return extension !== "" && name.startsWith(`${stem}-`) && /^-\d[\d.T_-]*$/.test(date);
}
