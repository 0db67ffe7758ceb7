import type { CriLogger } from "../options.js";
import { log } from "./logging.js";
import { type Step, stepsUnder } from "./node-root.js";
import { nameOf, octal } from "./socket-access.js";

const writableByGroup = 0o020;
const writableByOthers = 0o002;
const sticky = 0o1000;

/**
 * Warns the logger if another user than root decides what is at a path that discovery uses: who owns a file, or may write to it or
 * to a directory on its way, may put another in its place. Does so for root only, who would act on behalf of that user.
 *
 * @param path on the node, a socket or a configuration file
 * @param root where the node's file system lies
 */
export async function warnOfOthers(logger: CriLogger | undefined, path: string, root: string): Promise<void> {
  if (!logger?.warn || process.geteuid?.() !== 0) return;
  try {
    for await (const step of stepsUnder(root, path)) {
      if (!isOpenToOthers(step)) continue;
      const { uid, gid, mode } = step.stats;
      const owner = `${await nameOf(uid, root, "user")} and ${await nameOf(gid, root, "group")}`;
      log(logger, "warn", "discovery uses a file that other users than root can replace", {
        path,
        because: `${step.path} belongs to ${owner}, mode ${octal(mode)}`,
        remedy: `chown root ${step.path} and chmod go-w ${step.path}, or name the endpoint in the endpoint option`,
      });
      return;
    }
  } catch {
    // Links in a circle: using the path fails with a better error.
  }
}

function isOpenToOthers({ stats }: Step): boolean {
  const { uid, gid, mode } = stats;
  if (uid !== 0) return true;
  // To connect to a socket means to write to it. The permissions of a link say nothing.
  if (stats.isSocket() || stats.isSymbolicLink()) return false;
  // In a sticky directory such as /tmp, everybody may replace their own files only; whose they are is the next step.
  if (stats.isDirectory() && (mode & sticky) !== 0) return false;
  return (mode & writableByOthers) !== 0 || ((mode & writableByGroup) !== 0 && gid !== 0);
}
