import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folderPrefix, removeStaleFolders } from "../../../src/testing/stale-folders.js";
import { skipOnWindows } from "../../support/platform.js";

const ended = spawnSync(process.execPath, ["--version"]).pid;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stale-folders-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Starts a server on a socket in a new folder. */
async function listen(folder: string): Promise<Server> {
  await mkdir(folder);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  return server;
}

/** Creates a folder with a socket whose server ended without removing it. */
async function abandon(folder: string): Promise<void> {
  const elsewhere = join(dirname(folder), "listens");
  const server = await listen(elsewhere);
  await rename(elsewhere, folder);
  await new Promise((resolve) => server.close(resolve));
}

async function makeOld(folder: string): Promise<void> {
  await utimes(folder, new Date(0), new Date(0));
}

const it = test.skipIf(skipOnWindows("sockets in the file system"));

it("removes an old folder if its process has ended and no server listens on its socket", async () => {
  const parent = await temporaryFolder();
  const at = (name: string) => join(parent, name);
  await abandon(at(`${folderPrefix(ended)}ended1`));
  await abandon(at(`${folderPrefix(process.pid)}lives1`));
  const server = await listen(at(`${folderPrefix(ended)}answer`));
  onTestFinished(() => void server.close());
  for (const name of await readdir(parent)) await makeOld(at(name));
  await abandon(at(`${folderPrefix(ended)}young1`));
  await removeStaleFolders(parent);
  expect((await readdir(parent)).sort()).toEqual(
    [`${folderPrefix(process.pid)}lives1`, `${folderPrefix(ended)}answer`, `${folderPrefix(ended)}young1`].sort(),
  );
});

it("keeps folders with other contents or another kind of name", async () => {
  const parent = await temporaryFolder();
  const files = [
    `cri-${ended}-backup/precious`,
    `cri-${ended}-backup/s`,
    `${folderPrefix(ended)}backup/precious`,
    `${folderPrefix(ended)}afile1/s`,
    `${folderPrefix(ended)}folder/s/precious`,
    `${folderPrefix(ended)}too-long/s`,
  ].map((file) => join(parent, file));
  for (const file of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "");
  }
  const more = join(parent, `${folderPrefix(ended)}socket`);
  await abandon(more);
  await writeFile(join(more, "precious"), "");
  const target = join(parent, "target");
  await abandon(target);
  await symlink(target, join(parent, `${folderPrefix(ended)}linked`));
  for (const name of await readdir(parent)) await makeOld(join(parent, name));
  await removeStaleFolders(parent);
  const kept = [...files, join(more, "s"), join(more, "precious"), join(target, "s")];
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
});

test("ignores a directory that cannot be read", async () => {
  await removeStaleFolders(join(tmpdir(), "no", "such", "directory"));
});
