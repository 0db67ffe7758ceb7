import { win32 } from "node:path";
import { callOptionsOf } from "../../../rpcs/budget.js";
import { execSync } from "../exec-sync.js";
import { commandFailed } from "./container-commands.js";
import type { ContainerSystem } from "./container-system.js";

/**
 * Windows containers. The only program that they need is `tar.exe`, which is bsdtar and part of Windows since 1803: images such as
 * nanoserver have no PowerShell, and no quoting protects a path from `cmd.exe`.
 *
 * Source: bsdtar(1), the Win32 naming conventions.
 *
 * @experimental
 */
export const windowsSystem: ContainerSystem = {
  normalize(path) {
    if (!/^[a-z]:[\\/]/i.test(path)) {
      const drive = /^[a-z]:/i.exec(path)?.[0];
      return {
        fault:
          drive === undefined
            ? "must begin with a drive, as in C:\\dir"
            : `is relative to the current folder of drive ${drive}; write ${win32.join(`${drive}\\`, path.slice(2))}`,
      };
    }
    const normal = win32.normalize(path).replace(/(?<!:)\\+$/, "");
    for (const name of namesIn(normal)) {
      const fault = nameFault(name);
      if (fault !== undefined) return { fault: `has the name ${JSON.stringify(name)}, which ${fault}` };
    }
    return normal;
  },
  isRoot: (path) => namesIn(path).length === 0,
  endsWithSeparator: (path) => /[\\/]$/.test(path),
  join: (folder, name) => win32.join(folder, name),
  basename: (path) => win32.basename(path),

  /** Lists a path in mtree format, which has the type of a file and not its content. */
  async find(context, containerId, path, options) {
    const format = ["--format=mtree", "--options=!all,type"];
    const command = ["tar.exe", "-cnHf", "-", ...format, ...fileOf(path)];
    const { exitCode, stdout, stderr } = await execSync(
      context.connection,
      containerId,
      command,
      callOptionsOf(options),
    );
    const [, type] = /^\S+ type=(\w+)\s*$/m.exec(String(stdout)) ?? [];
    if (type !== undefined) return { kind: type === "dir" ? "folder" : "other" };
    return { kind: "nothing", error: commandFailed(context, "tar.exe", exitCode, String(stderr)) };
  },

  sendCommand(path, kind) {
    // In this format, names are UTF-8. In others, they are in the code page of the container.
    const format = "--format=pax";
    if (kind === "folder") return ["tar.exe", "-cf", "-", format, "-C", path, "."];
    return ["tar.exe", "-cHf", "-", format, ...fileOf(path)];
  },

  /** `-P` lets `tar.exe` follow links in the container, such as those of volumes, and also entries out of the folder. */
  receiveCommand(folder, isTrusted) {
    return ["tar.exe", isTrusted ? "-xPf" : "-xf", "-", "--options=hdrcharset=UTF-8", "-C", folder];
  },

  /** Unpacks into the root of the drive, because `tar.exe` creates missing folders below its own. */
  place(target) {
    return { folder: win32.parse(target).root, name: `./${namesIn(target).join("/")}`, needsFolder: false };
  },

  nameFault,
};

/** Returns the arguments for one file. Its name does not begin with `@` or `-`, which have a meaning. */
function fileOf(path: string): string[] {
  return ["-C", win32.dirname(path), `./${win32.basename(path)}`];
}

/** Returns the names in a path after its drive. */
function namesIn(path: string): string[] {
  return path.slice(2).split(/[\\/]/).filter(Boolean);
}

function nameFault(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Windows refuses control characters
  const [character] = /[<>:"|?*\\/\u0000-\u001f]/.exec(name) ?? [];
  if (character !== undefined) return `contains ${JSON.stringify(character)}: Windows does not allow that in a name`;
  if (/[. ]$/.test(name)) return "ends with a dot or a space: Windows removes that";
  if (/^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i.test(name)) return "is the name of a device on Windows";
  return undefined;
}
