import { existsSync } from "node:fs";
import { readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CriError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import { LogFile, openIfExists } from "./log-file.js";
import type { ReadSettings } from "./read-options.js";
import { RotatedFiles } from "./rotated-files.js";

/** How often a log is looked for that is about to appear, in milliseconds. */
const appearancePollMs = 50;

/** How many symbolic links in a row are followed, as many as Linux does. */
const maxLinks = 40;

/**
 * Opens a log. While the kubelet rotates it, there is no file under its name for a moment: the one it was renamed to is it then.
 *
 * @throws CriError `NOT_FOUND` and others
 */
export async function openCurrentFile(path: string, settings: ReadSettings, signal: AbortSignal): Promise<LogFile> {
  const open = async () => (await openIfExists(path)) ?? (await openRotated(await targetOf(path), settings, signal));
  return (await untilItAppears(path, open, settings, signal)) ?? LogFile.open(path);
}

/** Opens a log that may be about to appear. */
async function untilItAppears(
  path: string,
  open: () => Promise<LogFile | undefined>,
  { appearsWithinMs }: ReadSettings,
  signal: AbortSignal,
): Promise<LogFile | undefined> {
  for (const startedAt = performance.now(); ; await sleep(appearancePollMs, signal)) {
    const file = await open();
    const isLate = performance.now() - startedAt >= appearsWithinMs;
    // Without the folder, this is not the runtime's node, or not its path: waiting would not help.
    if (file || isLate || !existsSync(dirname(path))) return file;
  }
}

/** Opens what a log has been rotated to last, if that can be found out. */
async function openRotated(log: string, settings: ReadSettings, signal: AbortSignal): Promise<LogFile | undefined> {
  const files = await new RotatedFiles(log, { ...settings, onGap: () => {} }, signal).list().catch((error: unknown) => {
    // Who may not list the directory may still read the log.
    if (CriError.is(error, "PERMISSION_DENIED")) return [];
    throw error;
  });
  const latest = files.at(-1);
  return latest === undefined ? undefined : openIfExists(latest.path, log);
}

/** Where a path leads, even if there is nothing. */
async function targetOf(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < maxLinks; links++) {
    try {
      target = resolve(await realpath(dirname(target)), await readlink(target));
    } catch {
      break;
    }
  }
  return target;
}

/**
 * Opens a log that may not be there yet.
 *
 * @returns `undefined` when nobody is left who might create it
 */
export async function waitForCurrentFile(
  path: string,
  liveness: Liveness,
  settings: ReadSettings,
  signal: AbortSignal,
): Promise<LogFile | undefined> {
  const watch = new FileWatch(path);
  try {
    do {
      watch.clear();
      const file = await openIfExists(path);
      if (file) return file;
    } while (await liveness.waitForMore(watch));
    return await untilItAppears(path, () => openIfExists(path), settings, signal);
  } finally {
    watch.close();
  }
}
