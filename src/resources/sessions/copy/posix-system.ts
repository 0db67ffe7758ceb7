import { posix } from "node:path";
import { callOptionsOf } from "../../../rpcs/budget.js";
import { execSync } from "../exec-sync.js";
import { commandFailed } from "./container-commands.js";
import type { ContainerSystem } from "./container-system.js";

/** Linux containers, with `tar`, `ls` and a POSIX shell. */
export const posixSystem: ContainerSystem = {
  normalize(path) {
    if (!path.startsWith("/")) return { fault: "must be an absolute path" };
    return posix.normalize(path).replace(/(?<=.)\/+$/, "");
  },
  isRoot: (path) => path === "/",
  endsWithSeparator: (path) => path.endsWith("/"),
  join: (folder, name) => posix.join(folder, name),
  basename: (path) => posix.basename(path),

  /** `path/.` exists only if the path is a folder or a link to a folder. */
  async find(context, containerId, path, options) {
    const command = ["ls", "-d", "--", path, `${path}/.`];
    const { exitCode, stdout, stderr } = await execSync(
      context.connection,
      containerId,
      command,
      callOptionsOf(options),
    );
    // `ls` prints the same error message for both paths.
    const [message = ""] = String(stderr).trim().split("\n");
    if (stdout === "") return { kind: "nothing", error: commandFailed(context, "ls", exitCode, message) };
    return { kind: String(stdout).endsWith("/.\n") ? "folder" : "other" };
  },

  sendCommand(path, kind) {
    if (kind === "folder") return ["tar", "-cf", "-", "-C", path, "."];
    return ["tar", "-chf", "-", "-C", posix.dirname(path), "--", posix.basename(path)];
  },

  /** Reads the rest of the input after `tar`. containerd and CRI-O lose the exit code of a command that leaves input unread. */
  receiveCommand(folder) {
    const script = '"$@"; code=$?; cat > /dev/null; exit $code';
    return ["sh", "-c", script, "sh", "tar", "-xpof", "-", "-C", folder];
  },

  removeCommand: (path) => ["rm", "-rf", "--", path],

  place(target, isFolder) {
    if (isFolder) return { folder: target, name: ".", needsFolder: true };
    return { folder: posix.dirname(target), name: `./${posix.basename(target)}`, needsFolder: true };
  },

  nameFault: () => undefined,
};
