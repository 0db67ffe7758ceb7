import { existsSync } from "node:fs";
import { readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { CriError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import { LogFile, openIfExists } from "./log-file.js";
import type { ReadSettings } from "./read-settings.js";
import { RotatedFiles } from "./rotated-files.js";

/** How often to poll for a file that is about to appear, in milliseconds. */
const appearancePollMs = 50;

/** The maximum length of a chain of symbolic links, as on Linux. */
const maxLinks = 40;

/**
 * Opens the current file of a log. During a rotation by a kubelet, no file has the name of the log for a short time. In this
 * case, opens the latest rotated file.
 *
 * @throws CriError `NOT_FOUND` and others
 */
export async function openCurrentFile(path: string, settings: ReadSettings, signal: AbortSignal): Promise<LogFile> {
  const open = async () => (await openIfExists(path)) ?? (await openRotated(await targetOf(path), settings, signal));
  return (await pollUntilOpen(path, open, settings, signal)) ?? LogFile.open(path);
}

/** Opens a file, and polls until it exists or the time is over. */
async function pollUntilOpen(
  path: string,
  open: () => Promise<LogFile | undefined>,
  { appearsWithinMs }: ReadSettings,
  signal: AbortSignal,
): Promise<LogFile | undefined> {
  for (const startedAt = performance.now(); ; await sleep(appearancePollMs, signal)) {
    const file = await open();
    const isLate = performance.now() - startedAt >= appearsWithinMs;
    // If the folder does not exist, the path is wrong or this is not the runtime's node, so the file will not appear.
    if (file || isLate || !existsSync(dirname(path))) return file;
  }
}

/** Opens the latest rotated file of a log, if the directory can be listed. */
async function openRotated(log: string, settings: ReadSettings, signal: AbortSignal): Promise<LogFile | undefined> {
  const files = await new RotatedFiles(log, { ...settings, onGap: () => {} }, signal).list().catch((error: unknown) => {
    // A program without permission to list the directory may still be able to read the log.
    if (CriError.is(error, "PERMISSION_DENIED")) return [];
    throw error;
  });
  const latest = files.at(-1);
  return latest === undefined ? undefined : openIfExists(latest.path, log);
}

/** Resolves symbolic links, even if their target does not exist. */
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
 * Waits for the current file of a log to appear, and opens it.
 *
 * @returns `undefined` if its writer has ended without creating it
 */
export async function waitForCurrentFile(
  path: string,
  liveness: Liveness,
  settings: ReadSettings,
  signal: AbortSignal,
): Promise<LogFile | undefined> {
  const stopListening = liveness.listen();
  const watch = new FileWatch(path);
  try {
    do {
      watch.takeChange();
      const file = await openIfExists(path);
      if (file) return file;
    } while (await liveness.waitForMore(watch));
    return await pollUntilOpen(path, () => openIfExists(path), settings, signal);
  } finally {
    stopListening();
    watch.close();
  }
}
