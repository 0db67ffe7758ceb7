/** Mounts and devices as a container sees them. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys } from "./helpers/journeys.js";

journeys("files", (fixture) => {
  test("mounts folders writable and read-only, single files, and mounts inside mounts", async () => {
    await using host = await folder();
    await mkdir(join(host.path, "inner"));
    await writeFile(join(host.path, "greeting"), "from the node");
    await using container = await fixture.container(await fixture.sharedPod(), {
      mounts: [
        { hostPath: host.path, containerPath: "/writable" },
        { hostPath: host.path, containerPath: "/read only", readOnly: true },
        { hostPath: join(host.path, "greeting"), containerPath: "/etc/greeting", readOnly: true },
        { hostPath: join(host.path, "inner"), containerPath: "/read only/inner" },
      ],
    });
    expect(await outputOf(container, "cat /writable/greeting /etc/greeting")).toBe("from the nodefrom the node");
    await outputOf(container, "echo -n answer > /writable/answer");
    expect(await readFile(join(host.path, "answer"), "utf8")).toBe("answer");
    expect(await outputOf(container, "echo x 2>&1 > '/read only/x' || true")).toContain("Read-only file system");
    expect(await outputOf(container, "echo x 2>&1 > /etc/greeting || true")).toContain("Read-only file system");
    await outputOf(container, "echo -n inner > '/read only/inner/file'");
    expect(await readFile(join(host.path, "inner/file"), "utf8")).toBe("inner");
    const { mounts } = await container.status();
    expect(mounts).toContainEqual(expect.objectContaining({ containerPath: "/read only", readonly: true }));
    expect(mounts).toContainEqual(expect.objectContaining({ containerPath: "/writable", readonly: false }));
  });

  test("a write into a read-only mount fails with the error of the container, also of a large file", async () => {
    await using host = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), {
      mounts: [{ hostPath: host.path, containerPath: "/read only", readOnly: true }],
    });
    const large = Buffer.alloc(4 * 2 ** 20);
    await writeFile(join(host.path, "old"), large);
    const archive = await buffer(await container.getArchive("/read only/old"));
    for (const write of [
      () => container.writeFile("/read only/old", large),
      () => container.copyTo(join(host.path, "old"), "/read only/new"),
      () => container.putArchive("/read only", archive),
    ]) {
      const failure = await expectCode(write(), "COMMAND_FAILED");
      expect(failure.details).toMatch(/Read-only file system/i);
    }
    await expectCode(container.writeFile("/etc/hosts", "a mount of its own"), "COMMAND_FAILED");
    expect(await readdir(host.path)).toEqual(["old"]);
  });

  test("two containers share a directory of the node", async () => {
    await using host = await folder();
    const mounts = [{ hostPath: host.path, containerPath: "/shared" }];
    const pod = await fixture.sharedPod();
    await using writer = await fixture.container(pod, { mounts });
    await using reader = await fixture.container(pod, { mounts });
    await outputOf(writer, "echo -n shared > /shared/file");
    expect(await outputOf(reader, "cat /shared/file")).toBe("shared");
  });

  test("a read-only root filesystem can have a writable mount", async () => {
    await using host = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), {
      security: { readOnlyRootFilesystem: true },
      mounts: [{ hostPath: host.path, containerPath: "/data" }],
    });
    expect(await outputOf(container, "echo x 2>&1 > /x || true")).toContain("Read-only file system");
    expect(await outputOf(container, "echo x > /data/x && cat /data/x")).toBe("x");
  });

  test("devices have the given path and exactly the given permissions", async () => {
    const open = (how: string, path: string) => `(: ${how} ${path}) 2>&1 && echo open || true`;
    await using container = await fixture.container(await fixture.sharedPod(), {
      devices: [
        { hostPath: "/dev/null", containerPath: "/dev/nothing" },
        { hostPath: "/dev/zero", containerPath: "/dev/other/read", permissions: "r" },
      ],
      security: { capabilities: { add: ["MKNOD"] } },
    });
    expect(await outputOf(container, "stat -c %t:%T /dev/nothing; stat -c %t:%T /dev/other/read")).toBe("1:3\n1:5");
    expect(await outputOf(container, open("<", "/dev/nothing"))).toBe("open");
    expect(await outputOf(container, `mknod /tmp/mem c 1 1; ${open("<", "/tmp/mem")}`)).toContain(
      "Operation not permitted",
    );
    expect(await outputOf(container, "head -c 3 /dev/other/read | od -An -tx1")).toBe(" 00 00 00");
  });
});
