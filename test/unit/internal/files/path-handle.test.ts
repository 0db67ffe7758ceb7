/** Checks that a path handle never opens a file that has replaced the checked one, and opens only regular files and directories. */
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { LocalFileError } from "../../../../src/internal/files/local-file-error.js";
import { openRegular, readRegular } from "../../../../src/internal/files/open-regular.js";
import { PathHandle } from "../../../../src/internal/files/path-handle.js";
import { openBelow } from "../../../support/open-files.js";
import { skipOnWindows, skipWhere } from "../../../support/platform.js";

let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "path-handle-")));
  await writeFile(at("file"), "content");
});
afterEach(async () => {
  expect(openBelow(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

async function contentOf(handle: PathHandle): Promise<string> {
  await using file = await handle.openRegular();
  return await file.readFile("utf8");
}

// Linux supports descriptors and paths, other systems only paths.
const modes = process.platform === "linux" ? [true, false] : [false];

describe.each(modes)("by descriptor: %s", (byDescriptor) => {
  const open = (name: string, follow = true) => PathHandle.open(at(name), { follow, byDescriptor });

  test("reads a file", async () => {
    await using file = await open("file");
    expect(await contentOf(file)).toBe("content");
  });

  test("follows a link at the end of the path only with the option", async () => {
    await symlink("file", at("link"));
    await using followed = await open("link");
    expect(await contentOf(followed)).toBe("content");
    await using link = await open("link", false);
    expect(link.stats.isSymbolicLink()).toBe(true);
    const error = new LocalFileError("ERR_NOT_REGULAR_FILE", at("link"), "is a symbolic link, not a regular file");
    await expect(link.openRegular()).rejects.toEqual(error);
  });

  test("never opens another file that has replaced it", async () => {
    await writeFile(at("other"), "other");
    await using file = await open("file", false);
    await rename(at("other"), at("file"));
    if (byDescriptor) expect(await contentOf(file)).toBe("content");
    else await expect(file.openRegular()).rejects.toMatchObject({ code: "ERR_FILE_CHANGED", path: at("file") });
  });

  test.skipIf(skipOnWindows("links and named pipes put in the place of a file"))(
    "never opens a link or a named pipe that has replaced it",
    async () => {
      for (const make of [() => symlink("other", at("new")), async () => execFileSync("mkfifo", [at("new")])]) {
        await writeFile(at("other"), "other");
        await writeFile(at("file"), "content");
        await using file = await open("file", false);
        await make();
        await rename(at("new"), at("file"));
        if (byDescriptor) expect(await contentOf(file)).toBe("content");
        else await expect(file.openRegular()).rejects.toThrow();
        await rm(at("file"));
      }
    },
  );

  test("refuses a file with the option `directory`", async () => {
    const opening = PathHandle.open(at("file"), { byDescriptor, directory: true });
    await expect(opening).rejects.toMatchObject({ code: "ENOTDIR", path: at("file") });
  });

  test("has the given name in every error", async () => {
    await expect(open("gone")).rejects.toMatchObject({ code: "ENOENT", path: at("gone") });
    const named = PathHandle.open(at("gone"), { byDescriptor, name: "the file" });
    await expect(named).rejects.toMatchObject({ code: "ENOENT", path: "the file" });
    await using file = await open("file");
    await rm(at("file"));
    if (byDescriptor) expect(await contentOf(file)).toBe("content");
    else await expect(file.openRegular()).rejects.toMatchObject({ code: "ENOENT", path: at("file") });
  });
});

describe("openRegular", () => {
  test.skipIf(skipOnWindows("named pipes, sockets and devices in the file system"))(
    "refuses anything but a regular file, without blocking",
    async () => {
      const server = createServer().listen(at("socket"));
      onTestFinished(() => void server.close());
      execFileSync("mkfifo", [at("pipe")]);
      await symlink("/dev/zero", at("device"));
      const kinds = { pipe: "a named pipe", socket: "a socket", device: "a device", ".": "a directory" };
      for (const [name, kind] of Object.entries(kinds)) {
        const error = { code: "ERR_NOT_REGULAR_FILE", reason: `is ${kind}, not a regular file` };
        await expect(openRegular(at(name)), name).rejects.toMatchObject(error);
        await expect(openRegular(at(name), { byDescriptor: false }), name).rejects.toMatchObject(error);
      }
    },
  );

  test.skipIf(skipOnWindows("files without permission"))("names the path where permission is denied", async () => {
    await writeFile(at("locked"), "", { mode: 0 });
    await chmod(directory, 0o755);
    const user = process.geteuid?.() ?? 0;
    if (user === 0) process.seteuid?.(65_534); // root has access to everything
    try {
      const error = { code: "EACCES", path: at("locked"), message: expect.stringContaining(at("locked")) };
      await expect(openRegular(at("locked"))).rejects.toMatchObject(error);
    } finally {
      process.seteuid?.(user);
    }
  });
});

describe("readRegular", () => {
  test("reads files up to the limit, and refuses larger ones", async () => {
    expect(await readRegular(at("file"), 7)).toEqual(Buffer.from("content"));
    await expect(readRegular(at("file"), 6)).rejects.toMatchObject({
      code: "ERR_FILE_TOO_LARGE",
      message: `${at("file")} has 7 bytes or more; at most 6 are read`,
    });
    await writeFile(at("empty"), "");
    expect(await readRegular(at("empty"), 0)).toEqual(Buffer.alloc(0));
  });

  // The file system states a size of 0 for these files.
  test.skipIf(skipWhere(process.platform !== "linux", "files of /proc"))(
    "does not rely on the size that the file system states",
    async () => {
      expect(String(await readRegular("/proc/self/status", 1024 * 1024))).toMatch(/^Name:/);
      await expect(readRegular("/proc/self/status", 20)).rejects.toThrow("has 21 bytes or more; at most 20 are read");
    },
  );
});
