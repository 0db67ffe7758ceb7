/** Mount propagation while containers run, and mounts of images. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("propagation", (fixture, lab) => {
  // The runtimes of the lab have their own mount namespace. Only a container in the PID namespace of the node can enter it.
  const inNode = (line: string) => `nsenter --target 1 --mount -- /bin/sh -c '${line}'`;

  test("propagates mounts as requested: not at all, from the node to the container, or in both directions", async () => {
    await using host = await folder();
    const shared = join(host.path, "shared");
    await mkdir(shared);
    await using pod = await fixture.hostNetworkPod({ hostPID: true, security: { privileged: true } });
    await using node = await fixture.container(pod, { security: { privileged: true } });
    await outputOf(node, inNode(`mount --bind ${shared} ${shared} && mount --make-shared ${shared}`));
    try {
      const mount = { hostPath: shared, containerPath: "/p" };
      await using isolated = await fixture.container(pod, { mounts: [mount] });
      await using receiving = await fixture.container(pod, { mounts: [{ ...mount, propagation: "hostToContainer" }] });
      await using bidirectional = await fixture.container(pod, {
        mounts: [{ ...mount, propagation: "bidirectional" }],
        security: { privileged: true },
      });
      await outputOf(node, inNode(`mkdir ${shared}/a ${shared}/b && mount -t tmpfs of-node ${shared}/a`));
      const sees = (name: string) => `grep -c "^${name} " /proc/self/mounts || true`;
      await eventually(
        () => outputOf(receiving, sees("of-node")),
        (count) => count === "1",
      );
      await eventually(
        () => outputOf(bidirectional, sees("of-node")),
        (count) => count === "1",
      );
      expect(await outputOf(isolated, sees("of-node"))).toBe("0");

      await outputOf(bidirectional, "mount -t tmpfs of-container /p/b");
      expect(await outputOf(node, inNode(`grep -c "^of-container " /proc/self/mounts`))).toBe("1");
      expect(await outputOf(receiving, sees("of-container"))).toBe("1");
      expect(await outputOf(isolated, sees("of-container"))).toBe("0");
    } finally {
      await outputOf(node, inNode(`umount ${shared}/a; umount ${shared}/b; umount -l ${shared}`));
    }
  });

  test("the error for a directory whose mounts cannot propagate names the reason", async () => {
    await using host = await folder();
    const pod = await fixture.sharedPod();
    await expect(
      fixture.container(pod, {
        mounts: [{ hostPath: host.path, containerPath: "/p", propagation: "hostToContainer" }],
      }),
    ).rejects.toThrow(/not a shared or slave mount/);
  });

  test("mounts the files of an image read-only; older runtimes refuse the mount", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { mounts: [] });
    const major = Number(fixture.runtime.version.split(".")[0]);
    const spec = { mounts: [{ image: lab.images.demo, containerPath: "/other" }] };
    await fixture.cri.images.ensure(lab.images.demo);
    if (major >= 2) {
      await using mounted = await fixture.container(await fixture.sharedPod(), spec);
      expect(await outputOf(mounted, "ls /other/bin/busybox; echo x 2>&1 > /other/x || true")).toMatch(
        /^\/other\/bin\/busybox\n.*Read-only file system/,
      );
    } else {
      // Older runtimes ignore the unknown field and refuse a mount without a host path.
      await expect(fixture.container(await fixture.sharedPod(), spec)).rejects.toThrow();
    }
    expect(await outputOf(container, "echo works")).toBe("works");
  });
});
