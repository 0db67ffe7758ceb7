/** Volumes on the node's disk: layout, owners and permissions as a kubelet makes them. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, readlink, stat, statfs, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readMounts } from "../../../../src/internal/machine/mount-table.js";
import { createTerminationLog, writeHostsFile } from "../../../../src/kubernetes/node/pod-files.js";
import { prepareVolumes } from "../../../../src/kubernetes/node/prepare-volumes.js";
import type { FilePlan, VolumePlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { treeOf } from "../../../support/file-tree.js";
import { diskPlan, notRoot, temporaryFolder, volumePath } from "./support.js";

const tmpfsMagic = 0x01021994;

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o7777).toString(8);
}

function withUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => {
    process.umask(before);
  });
}

function emptyDir(root: string, fields: Partial<Extract<VolumePlan, { kind: "emptyDir" }>> = {}): VolumePlan {
  return {
    kind: "emptyDir",
    name: "scratch",
    path: volumePath(root, "empty-dir", "scratch"),
    medium: "disk",
    ...fields,
  };
}

function fileVolume(
  root: string,
  files: readonly FilePlan[],
  fields: Partial<Extract<VolumePlan, { kind: "files" }>> = {},
): VolumePlan {
  return {
    kind: "files",
    source: "configMap",
    name: "config",
    path: volumePath(root, "configmap", "config"),
    files,
    ...fields,
  };
}

const file = (path: string, content: string, mode = 0o644): FilePlan => ({ path, content: Buffer.from(content), mode });

describe.skipIf(notRoot)("an emptyDir", () => {
  test("may be written by everybody, in directories that only root may enter, whatever the umask is", async () => {
    const root = await temporaryFolder();
    withUmask(0o077);
    await prepareVolumes(diskPlan(root, [emptyDir(root)]));
    expect(await modeOf(volumePath(root, "empty-dir", "scratch"))).toBe("777");
    expect(await modeOf(diskPlan(root).podDirectory)).toBe("700");
  });

  test("belongs to the fsGroup, and so do new files in it", async () => {
    const root = await temporaryFolder();
    await prepareVolumes(diskPlan(root, [emptyDir(root, { fsGroup: 2000 })]));
    const path = volumePath(root, "empty-dir", "scratch");
    await writeFile(join(path, "new"), "");
    expect(await modeOf(path)).toBe("2777");
    expect([(await stat(path)).gid, (await stat(join(path, "new"))).gid]).toEqual([2000, 2000]);
  });

  test("in memory is a tmpfs of the given size", async () => {
    const root = await temporaryFolder();
    await prepareVolumes(diskPlan(root, [emptyDir(root, { medium: "memory", sizeLimitBytes: 65_536n })]));
    const path = volumePath(root, "empty-dir", "scratch");
    const { type, bsize, blocks } = await statfs(path);
    expect([type, bsize * blocks, await modeOf(path)]).toEqual([tmpfsMagic, 65_536, "1777"]);
    await expect(writeFile(join(path, "large"), Buffer.alloc(100_000))).rejects.toThrow("ENOSPC");
  });

  test("of huge pages is a hugetlbfs", async () => {
    const root = await temporaryFolder();
    await prepareVolumes(diskPlan(root, [emptyDir(root, { medium: "hugePages", pageSizeBytes: 2_097_152n })]));
    const mount = (await readMounts()).find(({ path }) => path === volumePath(root, "empty-dir", "scratch"));
    expect(mount).toMatchObject({ type: "hugetlbfs", options: expect.arrayContaining(["pagesize=2M"]) });
  });

  test.each(["disk", "memory"] as const)("on %s keeps its content when the pod is prepared again", async (medium) => {
    const root = await temporaryFolder();
    const plan = diskPlan(root, [emptyDir(root, { medium })]);
    await prepareVolumes(plan);
    await writeFile(join(volumePath(root, "empty-dir", "scratch"), "kept"), "1");
    await prepareVolumes(plan);
    expect(await readdir(volumePath(root, "empty-dir", "scratch"))).toEqual(["kept"]);
    const mounts = (await readMounts()).filter(({ path }) => path.startsWith(root));
    expect(mounts).toHaveLength(medium === "memory" ? 1 : 0);
  });
});

describe.skipIf(notRoot)("a volume with files", () => {
  test("has the files behind one link, so that all change at once", async () => {
    const root = await temporaryFolder();
    withUmask(0o077);
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "1"), file("dir/sub/b", "2", 0o400)])]));
    const path = volumePath(root, "configmap", "config");
    const version = await readlink(join(path, "..data"));
    expect(version).toMatch(/^\.\.\d{4}(_\d\d){5}\.[0-9a-f]{8}$/);
    expect(await treeOf(path)).toEqual([
      `folder 755 ${version}`,
      `file 644 ${version}/a: 1`,
      `folder 755 ${version}/dir`,
      `folder 755 ${version}/dir/sub`,
      `file 400 ${version}/dir/sub/b: 2`,
      `link ..data -> ${version}`,
      "link a -> ..data/a",
      "link dir -> ..data/dir",
    ]);
  });

  test("replaces changed files, and keeps unchanged ones as they are", async () => {
    const root = await temporaryFolder();
    const path = volumePath(root, "configmap", "config");
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "1"), file("old", "2")])]));
    const first = await readlink(join(path, "..data"));
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "1"), file("old", "2")])]));
    expect(await readlink(join(path, "..data"))).toBe(first);
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "changed"), file("new", "3")])]));
    const second = await readlink(join(path, "..data"));
    expect((await readdir(path)).sort()).toEqual([second, "..data", "a", "new"].sort());
    expect(await readFile(join(path, "a"), "utf8")).toBe("changed");
  });

  test("removes what a killed process left of its files", async () => {
    const root = await temporaryFolder();
    const path = volumePath(root, "configmap", "config");
    await mkdir(join(path, "..2026_11_29_10_00_00.12345678/half"), { recursive: true });
    await symlink("nowhere", join(path, "..data_tmp"));
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "1")])]));
    const version = await readlink(join(path, "..data"));
    expect((await readdir(path)).sort()).toEqual([version, "..data", "a"].sort());
  });

  test.each(["secret", "projected", "downwardAPI"] as const)("of a %s is in memory", async (source) => {
    const root = await temporaryFolder();
    await prepareVolumes(diskPlan(root, [fileVolume(root, [file("a", "1")], { source })]));
    const { type } = await statfs(volumePath(root, "configmap", "config"));
    expect(type).toBe(tmpfsMagic);
    expect(await readFile(join(volumePath(root, "configmap", "config"), "a"), "utf8")).toBe("1");
  });

  test("gives the fsGroup read permission, and a token to its user", async () => {
    const root = await temporaryFolder();
    const files = [file("dir/a", "1", 0o600), { ...file("token", "t", 0o600), uid: 1234 }];
    await prepareVolumes(diskPlan(root, [fileVolume(root, files, { fsGroup: 3000 })]));
    const path = volumePath(root, "configmap", "config");
    expect([await modeOf(join(path, "dir/a")), await modeOf(join(path, "dir")), await modeOf(path)]).toEqual([
      "640",
      "2755",
      "2777",
    ]);
    const { uid, gid } = await stat(join(path, "token"));
    expect([uid, gid]).toEqual([1234, 3000]);
  });

  test.each(["../x", "/x", "a/../../x", "..x", "a//b", "."])("refuses the path %j", async (path) => {
    const root = await temporaryFolder();
    await expect(prepareVolumes(diskPlan(root, [fileVolume(root, [file(path, "secret value")])]))).rejects.toThrow(
      /must be a relative path/,
    );
    expect(await readdir(join(root, "pods"))).toEqual([]);
  });
});

describe.skipIf(notRoot)("a hostPath", () => {
  const hostPath = (path: string, type: string): VolumePlan => ({ kind: "hostPath", name: "host", path, type });

  test("is created for the types with OrCreate", async () => {
    const root = await temporaryFolder();
    await prepareVolumes(
      diskPlan(root, [hostPath(join(root, "d/e"), "DirectoryOrCreate"), hostPath(join(root, "f"), "FileOrCreate")]),
    );
    expect([await modeOf(join(root, "d")), await modeOf(join(root, "d/e")), await modeOf(join(root, "f"))]).toEqual([
      "755",
      "755",
      "644",
    ]);
  });

  test("keeps what exists", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "f"), "content");
    await symlink("f", join(root, "link"));
    await prepareVolumes(
      diskPlan(root, [hostPath(join(root, "link"), "FileOrCreate"), hostPath("/dev/null", "CharDevice")]),
    );
    expect(await readFile(join(root, "f"), "utf8")).toBe("content");
  });

  test.each([
    ["Directory", "f", /volume "host": .*\/f is not a directory, which type Directory requires/],
    ["DirectoryOrCreate", "f", /is not a directory/],
    ["File", ".", /is not a file/],
    ["FileOrCreate", ".", /is not a file/],
    ["Directory", "missing", /missing does not exist; type Directory requires a directory/],
    ["File", "missing", /does not exist/],
    ["FileOrCreate", "missing/f", /ENOENT/],
    ["Socket", "f", /is not a socket/],
    ["CharDevice", "f", /is not a character device/],
    ["BlockDevice", "/dev/null", /is not a block device/],
  ])("of type %s refuses %s before anything is created", async (type, name, message) => {
    const root = await temporaryFolder();
    await writeFile(join(root, "f"), "");
    const path = name.startsWith("/") ? name : join(root, name);
    await expect(prepareVolumes(diskPlan(root, [emptyDir(root), hostPath(path, type)]))).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(message),
    });
    expect(await readdir(root)).toEqual(["f"]);
  });
});

test.skipIf(notRoot)("everything of a new pod is removed if a volume fails", async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, "pods"));
  const volumes = [
    emptyDir(root, { medium: "memory" }),
    emptyDir(root, {
      name: "huge",
      path: volumePath(root, "empty-dir", "huge"),
      medium: "hugePages",
      pageSizeBytes: 3n,
    }),
  ];
  await expect(prepareVolumes(diskPlan(root, volumes))).rejects.toMatchObject({
    message: expect.stringMatching(/volume "huge": mount failed/),
    suppressed: [],
  });
  expect(await readdir(join(root, "pods"))).toEqual([]);
  expect((await readMounts()).filter(({ path }) => path.startsWith(root))).toEqual([]);
});

test.skipIf(notRoot)(
  "the hosts file changes in place, with the hosts of the node if the pod uses its network",
  async () => {
    const root = await temporaryFolder();
    const path = join(root, "etc-hosts");
    const plan = { path, head: "# head\n", nodeHosts: false, tail: "10.0.0.9\tweb\n" };
    await writeHostsFile(plan);
    const { ino } = await stat(path);
    expect(await readFile(path, "utf8")).toBe("# head\n10.0.0.9\tweb\n");
    await writeHostsFile({ ...plan, nodeHosts: true, tail: "" });
    expect(await readFile(path, "utf8")).toBe(`# head\n${await readFile("/etc/hosts", "utf8")}`);
    expect([(await stat(path)).ino, await modeOf(path)]).toEqual([ino, "644"]);
  },
);

test.skipIf(notRoot)("the file for a termination message is empty, and everybody may write to it", async () => {
  const root = await temporaryFolder();
  withUmask(0o077);
  const path = join(root, "containers/main/0a1b2c3d");
  await createTerminationLog(path);
  await writeFile(path, "earlier");
  await createTerminationLog(path);
  expect([await readFile(path, "utf8"), await modeOf(path)]).toEqual(["", "666"]);
});

test.skipIf(notRoot)("an unprivileged user is told that pods need root", async () => {
  const script = `
    import { mountFileSystem } from ${JSON.stringify(new URL("../../../../src/kubernetes/node/mounting.ts", import.meta.url))};
    process.setuid(65534);
    await mountFileSystem("tmpfs", "/mnt", []).catch((error) => console.log(error.code, error.message));
  `;
  const out = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(out).toMatch(/^PERMISSION_DENIED .*pods need root on the node/);
});
