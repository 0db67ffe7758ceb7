/** Tearing down a lab leaves nothing on the machine, and the next run cleans up after a crashed lab. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cacheFolder } from "./lab/cache.js";
import { removeCgroup } from "./lab/cgroups.js";
import { run } from "./lab/command.js";
import { type LabAvailability, labAvailability, prepareLab } from "./lab/lab.js";
import type { LabRecord } from "./lab/records.js";

const availability: LabAvailability = process.env.CRI_TEST_ENDPOINT
  ? { available: false, reason: "CRI_TEST_ENDPOINT is set, so there is no lab" }
  : labAvailability();
const name = "the lab leaves nothing on the machine after SIGTERM, or after SIGKILL and a clean-up";

const lifecycle = fileURLToPath(new URL("./lab/lifecycle.ts", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-t-"));
});

afterEach(async () => {
  // Records exist only if the test failed. In that case only control groups remain. The kernel removed the rest with the
  // namespaces.
  for (const file of await readdir(join(folder, "cache", "labs")).catch(() => [])) {
    const record = JSON.parse(await readFile(join(folder, "cache", "labs", file), "utf8")) as LabRecord;
    for (const name of record.cgroups) removeCgroup(name);
  }
  await rm(folder, { recursive: true, force: true });
});

test.skipIf(!availability.available)(availability.available ? name : `${name}: ${availability.reason}`, async () => {
  await prepareLab();
  // Shares the packages but not the records, so that labs of other runs do not interfere.
  const cache = join(folder, "cache");
  const temporary = join(folder, "tmp");
  for (const created of [cache, temporary]) await mkdir(created);
  await symlink(join(cacheFolder(), "debian"), join(cache, "debian"));

  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  // Other programs write to /run at any time, so the lab gets its own. It contains the only folder that `mount` would create.
  const setUp = 'mount -t tmpfs tmpfs /run && mkdir -p /run/mount && exec "$@"';
  const program = ["/bin/sh", "-c", setUp, "sh", process.execPath];
  const output = await run("unshare", [...namespaces, ...program, "--import", "tsx", lifecycle], {
    env: { ...process.env, CRI_LAB_CACHE: cache, TMPDIR: temporary },
    timeoutMs: 240_000,
  });

  const leftovers = JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, string[]>;
  // Checks that the lab creates control groups at all. Otherwise the checks below would always pass.
  expect(leftovers.whileUp?.some((line) => line.includes(" cgroup "))).toBe(true);
  expect(leftovers.afterTerm).toEqual([]);
  // The kernel has ended all processes. The next run removes the rest.
  expect(leftovers.afterKill).not.toEqual([]);
  expect(leftovers.afterKill?.filter((line) => /^. (process|mount)/.test(line))).toEqual([]);
  expect(leftovers.afterClean).toEqual([]);
});
