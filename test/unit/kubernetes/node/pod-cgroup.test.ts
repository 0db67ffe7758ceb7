/** The cgroups of pods: their limits on both versions of cgroups, and their removal with everything in them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { cgroupHierarchies, cgroupVersion } from "../../../../src/internal/machine/cgroup-hierarchies.js";
import { parseMounts, readMounts } from "../../../../src/internal/machine/mount-table.js";
import { createPodCgroup, removePodCgroup } from "../../../../src/kubernetes/node/pod-cgroup.js";
import type { PodCgroupPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { skipWhere } from "../../../support/platform.js";
import { temporaryFolder } from "./support.js";

const hierarchies = cgroupHierarchies(await readMounts());
const notV1 = skipWhere(
  process.geteuid?.() !== 0 || hierarchies.length === 0 || cgroupVersion(hierarchies) !== 1,
  "cgroups of version 1 that root may change",
);

const plan: PodCgroupPlan = {
  path: "/kubepods/burstable/pod1",
  driver: "cgroupfs",
  cpuShares: 256n,
  cpuQuotaUs: 50_000n,
  cpuPeriodUs: 100_000n,
  memoryLimitBytes: 67_108_864n,
  hugePageLimits: { "2MB": 4_194_304n },
  pidsLimit: 100,
  unified: { "memory.min": "33554432" },
};

/** A fake hierarchy of version 2 in which the cgroup of the pod already has its files. */
async function fakeUnified(files: readonly string[]) {
  const root = await temporaryFolder();
  const group = join(root, plan.path);
  await mkdir(group, { recursive: true });
  await writeFile(join(root, "cgroup.controllers"), "cpu memory pids\n");
  for (const file of files) await writeFile(join(group, file), "");
  const mounts = [{ path: root, type: "cgroup2", options: ["rw"] }];
  return { root, mounts, read: (file: string) => readFile(join(group, file), "utf8") };
}

test("on version 2, limits are written to the one cgroup, and its controllers are enabled above it", async () => {
  const names = ["cpu.weight", "cpu.max", "memory.max", "memory.min", "pids.max", "hugetlb.2MB.max", "hugetlb.1GB.max"];
  const { root, mounts, read } = await fakeUnified([...names, "hugetlb.2MB.rsvd.max"]);
  await createPodCgroup(plan, mounts);
  expect(Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)])))).toEqual({
    "cpu.weight": "10",
    "cpu.max": "50000 100000",
    "memory.max": "67108864",
    "memory.min": "33554432",
    "pids.max": "100",
    "hugetlb.2MB.max": "4194304",
    "hugetlb.1GB.max": "0",
  });
  for (const parent of ["", "kubepods", "kubepods/burstable"]) {
    expect(await readFile(join(root, parent, "cgroup.subtree_control"), "utf8")).toBe("+pids");
  }
});

test("on version 2, a pod without CPU limit has a quota of max only if its period is set", async () => {
  const { mounts, read } = await fakeUnified(["cpu.weight", "cpu.max", "pids.max"]);
  const { cpuQuotaUs: _, cpuPeriodUs: __, memoryLimitBytes: ___, ...rest } = plan;
  await createPodCgroup({ ...rest, cpuShares: 2n, hugePageLimits: {}, unified: {} }, mounts);
  expect([await read("cpu.weight"), await read("cpu.max")]).toEqual(["1", ""]);
  await createPodCgroup({ ...rest, cpuQuotaUs: -1n, cpuPeriodUs: 100_000n, unified: {} }, mounts);
  expect(await read("cpu.max")).toBe("max 100000");
});

test("a limit whose controller is not enabled is refused", async () => {
  const { root, mounts } = await fakeUnified([]);
  await expect(createPodCgroup(plan, mounts)).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/cannot limit the cgroup .*: the controller cpu is not enabled/),
  });
  expect(existsSync(join(root, plan.path))).toBe(false);
});

test.each(["relative", "/a/../b", "/"])("the path %j is refused before anything is created", async (path) => {
  const { root, mounts } = await fakeUnified([]);
  await expect(createPodCgroup({ ...plan, path }, mounts)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(removePodCgroup({ ...plan, path }, mounts)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  expect((await readdir(root)).sort()).toEqual(["cgroup.controllers", "kubepods"]);
});

test("each hierarchy is found once among the mounts", () => {
  const table = [
    "35 35 0:29 / /run/container/cgroup/cpu ro - cgroup cgroup ro,cpu,cpuacct",
    "36 35 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct",
    "37 35 0:30 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd",
    "38 35 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    "39 35 0:32 / /with\\040space rw - tmpfs tmpfs rw",
  ].join("\n");
  const found = cgroupHierarchies(parseMounts(table));
  expect(found).toEqual([
    { path: "/sys/fs/cgroup/cpu,cpuacct", version: 1, controllers: ["cpu"] },
    { path: "/sys/fs/cgroup/systemd", version: 1, controllers: [] },
    { path: "/sys/fs/cgroup/unified", version: 2, controllers: [] },
  ]);
  expect([cgroupVersion(found), cgroupVersion(found.slice(1))]).toEqual([1, 2]);
  expect(parseMounts(table)[4]?.path).toBe("/with space");
});

describe.skipIf(notV1)("on version 1", () => {
  /** Cgroups below one of this test's own. */
  function ownPlan(): PodCgroupPlan {
    const top = `/k8s-cri-client-test-${process.pid}`;
    onTestFinished(async () => {
      await removePodCgroup({ path: `${top}/kubepods/burstable/pod1`, driver: "cgroupfs" });
      for (const { path } of hierarchies) await rmdir(`${path}${top}`).catch(() => {});
    });
    return { ...plan, path: `${top}${plan.path}` };
  }

  const fileOf = (controller: string, path: string, file: string) =>
    join(hierarchies.find(({ controllers }) => controllers.includes(controller))!.path, path, file);

  test("limits are written to the cgroup of each controller", async () => {
    const own = ownPlan();
    await createPodCgroup(own);
    const read = async (controller: string, file: string) =>
      (await readFile(fileOf(controller, own.path, file), "utf8")).trim();
    expect([
      await read("cpu", "cpu.shares"),
      await read("cpu", "cpu.cfs_quota_us"),
      await read("cpu", "cpu.cfs_period_us"),
      await read("memory", "memory.limit_in_bytes"),
      await read("pids", "pids.max"),
    ]).toEqual(["256", "50000", "100000", "67108864", "100"]);
  });

  test("removal kills what still runs in it, and removes the cgroups above with the last pod", async () => {
    const own = ownPlan();
    const other = { ...own, path: own.path.replace("burstable/pod1", "pod2") };
    await createPodCgroup(own);
    await createPodCgroup(other);
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    const ended = once(child, "exit");
    await mkdir(fileOf("cpu", own.path, "container"));
    await writeFile(fileOf("cpu", own.path, "container/cgroup.procs"), String(child.pid));
    await removePodCgroup(own);
    expect((await ended)[1]).toBe("SIGKILL");
    const left = () => hierarchies.flatMap(({ path }) => (existsSync(`${path}${own.path}`) ? [path] : []));
    expect(left()).toEqual([]);
    expect(existsSync(fileOf("cpu", other.path, ""))).toBe(true);
    await removePodCgroup(other);
    await removePodCgroup(other);
    expect(existsSync(fileOf("cpu", own.path.replace("/burstable/pod1", ""), ""))).toBe(false);
  });

  test("a limit that the kernel refuses ends no process of an existing pod", async () => {
    const own = ownPlan();
    await createPodCgroup(own);
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    await writeFile(fileOf("cpu", own.path, "cgroup.procs"), String(child.pid));
    await expect(createPodCgroup({ ...own, cpuPeriodUs: 1n })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(await readFile(fileOf("cpu", own.path, "cgroup.procs"), "utf8")).toBe(`${child.pid}\n`);
  });

  test("a limit that the kernel refuses leaves nothing", async () => {
    const own = ownPlan();
    await expect(createPodCgroup({ ...own, cpuPeriodUs: 1n })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("cannot limit the cgroup"),
    });
    expect(hierarchies.filter(({ path }) => existsSync(`${path}${own.path}`))).toEqual([]);
  });
});
