/** Checks that emptying a folder removes nothing outside of it, even if another user changes the folder in the meantime. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { emptyFolder } from "../../../../src/internal/files/empty-folder.js";
import { Folder } from "../../../../src/internal/files/folder.js";
import { skipWhere } from "../../../support/platform.js";
import { thorough } from "../../../support/thorough.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "empty-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "folder/sub/deep"), { recursive: true });
  await mkdir(join(directory, "outside"));
  for (const name of ["folder/file", "folder/sub/file", "folder/sub/deep/file", "outside/file"]) {
    await writeFile(join(directory, name), "");
  }
});

async function empty(signal?: AbortSignal): Promise<void> {
  await using folder = await Folder.open(join(directory, "folder"));
  await emptyFolder(folder, { signal });
}

test("removes files, folders and links, but not the targets of links", async () => {
  await symlink("../outside", join(directory, "folder/link"), "junction");
  await symlink("../../outside", join(directory, "folder/sub/link"), "junction");
  await mkdir(join(directory, "folder", ...Array(500).fill("deeper")), { recursive: true });
  await empty();
  expect(await readdir(join(directory, "folder"))).toEqual([]);
  expect(await readdir(join(directory, "outside"))).toEqual(["file"]);
});

test("stops when its signal aborts", async () => {
  const reason = new Error("enough");
  await expect(empty(AbortSignal.abort(reason))).rejects.toBe(reason);
});

/** Endlessly creates files in a folder, and swaps a folder in it with a link. */
const swapper = `
  const { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } = require("node:fs");
  const [folder, outside] = process.argv.slice(1);
  process.chdir(folder);
  for (let round = 0; ; round++) {
    if (round === 1) console.log("swapping");
    try {
      mkdirSync("swapped", { recursive: true });
      for (const name of ["file", "other"]) writeFileSync("swapped/" + name, "");
      renameSync("swapped", "away");
      symlinkSync(outside, "swapped");
      unlinkSync("swapped");
      renameSync("away", "swapped");
    } catch {}
  }`;

// Other systems open folders by path only, so a narrow race remains.
test.skipIf(skipWhere(process.platform !== "linux", "folders that are swapped while they are removed"))(
  "removes nothing through links that appear during the removal",
  { timeout: 120_000 },
  async () => {
    const child = spawn(process.execPath, ["--eval", swapper, join(directory, "folder"), join(directory, "outside")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    // Runs before the removal of the folder, because callbacks run in reverse order.
    onTestFinished(async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    await once(child.stdout, "data");
    const deadline = performance.now() + (thorough ? 60_000 : 5_000);
    for (let round = 0; round < 1_000 && performance.now() < deadline; round++) {
      // The swapper may make a removal fail.
      await empty(AbortSignal.timeout(1_000)).catch(() => {});
      expect(await readdir(join(directory, "outside"))).toEqual(["file"]);
    }
    expect(child.exitCode).toBeNull();
  },
);
