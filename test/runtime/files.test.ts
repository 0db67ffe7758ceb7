/** Mounts and devices, as the container finds them. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder } from "./helpers/folder.js";
import { ask } from "./helpers/inside.js";
import { journeys } from "./helpers/journeys.js";

journeys("files", (bench) => {
  test("mounts: writable, read-only, a single file, within one another", async () => {
    await using host = await folder();
    await mkdir(join(host.path, "inner"));
    await writeFile(join(host.path, "greeting"), "from the node");
    await using container = await bench.container(await bench.sharedPod(), {
      mounts: [
        { hostPath: host.path, containerPath: "/writable" },
        { hostPath: host.path, containerPath: "/read only", readOnly: true },
        { hostPath: join(host.path, "greeting"), containerPath: "/etc/greeting", readOnly: true },
        { hostPath: join(host.path, "inner"), containerPath: "/read only/inner" },
      ],
    });
    expect(await ask(container, "cat /writable/greeting /etc/greeting")).toBe("from the nodefrom the node");
    await ask(container, "echo -n answer > /writable/answer");
    expect(await readFile(join(host.path, "answer"), "utf8")).toBe("answer");
    expect(await ask(container, "echo x 2>&1 > '/read only/x' || true")).toContain("Read-only file system");
    expect(await ask(container, "echo x 2>&1 > /etc/greeting || true")).toContain("Read-only file system");
    await ask(container, "echo -n inner > '/read only/inner/file'");
    expect(await readFile(join(host.path, "inner/file"), "utf8")).toBe("inner");
    const { mounts } = await container.status();
    expect(mounts).toContainEqual(expect.objectContaining({ containerPath: "/read only", readonly: true }));
    expect(mounts).toContainEqual(expect.objectContaining({ containerPath: "/writable", readonly: false }));
  });

  test("two containers share a directory of the node", async () => {
    await using host = await folder();
    const mounts = [{ hostPath: host.path, containerPath: "/shared" }];
    const pod = await bench.sharedPod();
    await using writer = await bench.container(pod, { mounts });
    await using reader = await bench.container(pod, { mounts });
    await ask(writer, "echo -n news > /shared/file");
    expect(await ask(reader, "cat /shared/file")).toBe("news");
  });

  test("a root that cannot be written to, with a place that can", async () => {
    await using host = await folder();
    await using container = await bench.container(await bench.sharedPod(), {
      security: { readOnlyRootFilesystem: true },
      mounts: [{ hostPath: host.path, containerPath: "/data" }],
    });
    expect(await ask(container, "echo x 2>&1 > /x || true")).toContain("Read-only file system");
    expect(await ask(container, "echo x > /data/x && cat /data/x")).toBe("x");
  });

  test("devices: there under another name, with the permissions that were given and no others", async () => {
    // The kernel's log can be opened by a privileged process where the control group of devices lets it.
    const open = (how: string, path: string) => `(: ${how} ${path}) 2>&1 && echo open || true`;
    await using container = await bench.container(await bench.sharedPod(), {
      devices: [
        { hostPath: "/dev/null", containerPath: "/dev/nothing" },
        { hostPath: "/dev/zero", containerPath: "/dev/other/read", permissions: "r" },
      ],
      security: { capabilities: { add: ["MKNOD"] } },
    });
    expect(await ask(container, "stat -c %t:%T /dev/nothing; stat -c %t:%T /dev/other/read")).toBe("1:3\n1:5");
    expect(await ask(container, open("<", "/dev/nothing"))).toBe("open");
    expect(await ask(container, `mknod /tmp/mem c 1 1; ${open("<", "/tmp/mem")}`)).toContain("Operation not permitted");
    expect(await ask(container, "head -c 3 /dev/other/read | od -An -tx1")).toBe(" 00 00 00");
  });
});
