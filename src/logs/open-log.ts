import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import { LogFile, openIfThere } from "./log-file.js";
import { rotatedFiles } from "./rotated.js";

/**
 * Opens a log. While the kubelet rotates it, there is no file under its name for a moment: the one it was renamed to is it then.
 *
 * @throws CriError `NOT_FOUND` and others
 */
export async function openLog(path: string): Promise<LogFile> {
  const latest = (await rotatedFiles(path)).at(-1);
  const file = (await openIfThere(path)) ?? (latest && (await openIfThere(latest, path)));
  return file || LogFile.open(path);
}

/**
 * Opens a log that may not be there yet.
 *
 * @returns `undefined` when nobody is left who might create it
 */
export async function waitForFile(path: string, liveness: Liveness, signal: AbortSignal): Promise<LogFile | undefined> {
  const watch = new FileWatch(path);
  try {
    for (let last = false; ; ) {
      watch.clear();
      const file = await openIfThere(path);
      if (file || last) return file;
      if (await liveness.expectsMore()) await watch.wait(liveness.pauseMs, signal);
      else last = true;
    }
  } finally {
    watch.close();
  }
}
