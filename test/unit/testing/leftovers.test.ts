import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderPrefix, removeLeftovers } from "../../../src/testing/leftovers.js";

test("folders of processes that have ended are removed, and no others", async () => {
  const parent = await mkdtemp(join(tmpdir(), "leftovers-"));
  try {
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const kept = [`${folderPrefix(process.pid)}abc123`, "cri-abcdef", `${folderPrefix(ended)}too-long`];
    for (const name of [...kept, `${folderPrefix(ended)}abc123`]) await mkdir(join(parent, name));
    await removeLeftovers(parent);
    expect((await readdir(parent)).sort()).toEqual(kept.sort());
  } finally {
    await rm(parent, { recursive: true });
  }
});

test("a directory that cannot be read has none", async () => {
  await removeLeftovers(join(tmpdir(), "no", "such", "directory"));
});
