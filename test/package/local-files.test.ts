/**
 * Checks that only `src/internal/files/path-handle.ts` opens local files. That file does not block on named pipes, opens no
 * devices, and opens the file that it has checked. No other source imports functions of `node:fs` that open files, or removes
 * folders with `rm`, which can follow a link that was swapped in after its check.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** Other files that open files or remove folders: the functions, and why they cannot block or follow links. */
const exceptions: Readonly<Record<string, { imports: readonly string[]; reason: string }>> = {
  "internal/files/unlinked-file.ts": {
    imports: ["open"],
    reason: "writes; a new file (O_EXCL) that only this user can open",
  },
  "internal/files/path-handle.ts": {
    imports: ["open", "open", "readFile"],
    reason: "opens all local files, and reads their metadata in /proc",
  },
  "kubernetes/node/machine.ts": { imports: ["readFile"], reason: "/proc and /sys of this machine only" },
  "diagnosis/checks/pod.ts": { imports: ["rm"], reason: "a new temporary folder that no other user can write to" },
  "internal/machine/mount-table.ts": { imports: ["readFile"], reason: "/proc of this process only" },
  "kubernetes/node/pod-cgroup.ts": { imports: ["readFile", "writeFile"], reason: "files of cgroups only" },
  "kubernetes/node/resolver-config.ts": {
    imports: ["readFile"],
    reason: "/etc/resolv.conf, or the file that the caller names",
  },
  "kubernetes/node/pod-files.ts": {
    imports: ["open", "readFile"],
    reason: "writes files of the pod's directory, where only root can replace them; reads /etc/hosts",
  },
  "kubernetes/node/pod-lock.ts": { imports: ["open"], reason: "a file in a directory of root; links are refused" },
  "kubernetes/node/pod-record.ts": { imports: ["open", "readFile"], reason: "a file in a directory of root" },
  "kubernetes/node/file-volume.ts": {
    imports: ["open", "readFile"],
    reason: "new files only (O_EXCL), in a directory of root; containers mount the volume read-only",
  },
  "kubernetes/node/host-path.ts": {
    imports: ["open"],
    reason: "creates the file that the manifest names, if it is missing",
  },
  "kubernetes/node/sub-paths.ts": { imports: ["open"], reason: "a new file only (O_EXCL), in a directory of root" },
  "kubernetes/running/termination-message.ts": {
    imports: ["open"],
    reason: "a file in a directory of root, of which a container can change only the content",
  },
  "resources/sessions/copy/staged-file.ts": {
    imports: ["open"],
    reason: "writes; new files only (O_EXCL), in a folder that only this user can access",
  },
  "resources/sessions/copy/staging.ts": {
    imports: ["rm"],
    reason: "only on systems where a descriptor cannot hold a folder",
  },
  "testing/address.ts": { imports: ["rm"], reason: "a new temporary folder that no other user can write to" },
  "testing/runtime-process.ts": { imports: ["rm"], reason: "the same folder" },
  "testing/output/log-file.ts": {
    imports: ["openSync"],
    reason: "writes with the same flags, and only to regular files",
  },
  "testing/backend/host-usage.ts": { imports: ["readFileSync"], reason: "/proc of this machine only" },
  "testing/refusals/mount-rules.ts": { imports: ["readFileSync"], reason: "/proc of this machine only" },
};

/** Functions that open a file by its path. */
const opens =
  /^(open|openAsBlob|readFile|writeFile|appendFile|copyFile|cp|truncate|createReadStream|createWriteStream)(Sync)?$/;

const root = fileURLToPath(new URL("../../src", import.meta.url));

/** Returns the names that a file imports from `node:fs` and `node:fs/promises`; `*` for the whole module. */
function importsOf(text: string): string[] {
  const fs = /^import\s+(?:type\s+)?([^;]*?)\s+from\s+"(?:node:)?fs(?:\/promises)?"/gm;
  const named = [...text.matchAll(fs)].flatMap(([, list = ""]) => {
    const names = /^\{([^}]*)\}$/.exec(list)?.[1];
    if (names === undefined) return ["*"];
    return names.split(",").map((name) => name.trim().replace(/\s+as\s.*/, ""));
  });
  const isDynamic = /(?:import|require|getBuiltinModule)\(\s*["'](?:node:)?fs/.test(text);
  return isDynamic ? [...named, "*"] : named;
}

/** Returns the imported functions that only the exceptions may use. */
function opening(text: string): string[] {
  const removesFolders = /\brm(Sync)?\([^;]*recursive: true/.test(text);
  return importsOf(text).filter(
    (name) => opens.test(name) || ["*", "promises"].includes(name) || (removesFolders && /^rm(Sync)?$/.test(name)),
  );
}

describe("opening local files", () => {
  test("happens in path-handle.ts and the listed exceptions only", () => {
    const found: Record<string, string[]> = {};
    for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".ts"),
    )) {
      const names = opening(readFileSync(join(root, name), "utf8"));
      if (names.length > 0) found[name.split(sep).join("/")] = names;
    }
    expect(found).toEqual(Object.fromEntries(Object.entries(exceptions).map(([file, { imports }]) => [file, imports])));
  });

  test.each([
    'import { readFile } from "node:fs/promises";',
    'import { type Stats, openSync as other } from "node:fs";',
    'import {\n  stat,\n  createReadStream,\n} from "fs";',
    'import * as fs from "node:fs";',
    'import fs from "node:fs/promises";',
    'import { promises } from "node:fs";',
    'import { rm } from "node:fs/promises";\nawait rm(path, { recursive: true });',
    'const fs = await import("node:fs/promises");',
  ])("is detected: %s", (code) => {
    expect(opening(code)).toHaveLength(1);
  });

  test("does not include reading metadata, creating folders and removing single files", () => {
    expect(opening('import { lstat, type FileHandle, mkdir, rm } from "node:fs/promises";')).toEqual([]);
  });
});
