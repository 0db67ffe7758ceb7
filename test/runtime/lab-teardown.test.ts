/** A lab leaves no trace, neither when it is taken down nor when it crashes and the next run cleans up. */
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
  ? { available: false, reason: "CRI_TEST_ENDPOINT names the only runtime to test" }
  : labAvailability();
const name = "leaves nothing behind, whether ended by SIGTERM or by SIGKILL";

const lifecycle = fileURLToPath(new URL("./lab/lifecycle.ts", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-t-"));
});

afterEach(async () => {
  // Nothing, unless the test failed; then only groups remain, since all else has gone with the namespaces.
  for (const file of await readdir(join(folder, "cache", "labs")).catch(() => [])) {
    const record = JSON.parse(await readFile(join(folder, "cache", "labs", file), "utf8")) as LabRecord;
    for (const name of record.cgroups) removeCgroup(name);
  }
  await rm(folder, { recursive: true, force: true });
});

test.skipIf(!availability.available)(availability.available ? name : `${name}: ${availability.reason}`, async () => {
  await prepareLab();
  // The packages are shared, the records are not: labs of other runs are none of this test's business.
  const cache = join(folder, "cache");
  const temporary = join(folder, "tmp");
  for (const created of [cache, temporary]) await mkdir(created);
  await symlink(join(cacheFolder(), "debian"), join(cache, "debian"));

  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  // Other programs of the machine write to /run at any time, so the lab gets one that nobody else sees. It has the one folder
  // that `mount` itself would create.
  const furnish = 'mount -t tmpfs tmpfs /run && mkdir -p /run/mount && exec "$@"';
  const program = ["/bin/sh", "-c", furnish, "sh", process.execPath];
  const output = await run("unshare", [...namespaces, ...program, "--import", "tsx", lifecycle], {
    env: { ...process.env, CRI_LAB_CACHE: cache, TMPDIR: temporary },
    timeoutMs: 240_000,
  });

  const left = JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, string[]>;
  // Otherwise, finding no groups left would prove nothing.
  expect(left.whileUp?.some((line) => line.includes(" cgroup "))).toBe(true);
  expect(left.afterTerm).toEqual([]);
  // The kernel has ended what ran; what remains is for the next run to remove.
  expect(left.afterKill).not.toEqual([]);
  expect(left.afterKill?.filter((line) => /^. (process|mount)/.test(line))).toEqual([]);
  expect(left.afterClean).toEqual([]);
});
