import type { CriLogger } from "../options.js";
import { log } from "./logging.js";
import { type PathStep, stepsUnder } from "./node-root.js";
import { nameOf, octal } from "./socket-access.js";

const writableByGroup = 0o020;
const writableByOthers = 0o002;
const sticky = 0o1000;

/**
 * Warns the logger if a user other than root can replace a file that discovery uses: by owning it, or by write permission for
 * it or for a directory on its path. Warns only if this process runs as root, which would act on behalf of that user.
 *
 * @param path the path of a socket or a configuration file on the node
 * @param root where the node's file system is mounted
 */
export async function warnIfReplaceable(logger: CriLogger | undefined, path: string, root: string): Promise<void> {
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
    // The symbolic links form a loop. Using the path fails with a better error.
  }
}

function isOpenToOthers({ stats }: PathStep): boolean {
  const { uid, gid, mode } = stats;
  if (uid !== 0) return true;
  // Clients of a socket need write permission for it, which does not allow them to replace the socket. The permissions of a link
  // have no effect.
  if (stats.isSocket() || stats.isSymbolicLink()) return false;
  // In a sticky directory such as /tmp, users can replace only their own files. The next step checks the owner of the file.
  if (stats.isDirectory() && (mode & sticky) !== 0) return false;
  return (mode & writableByOthers) !== 0 || ((mode & writableByGroup) !== 0 && gid !== 0);
}
