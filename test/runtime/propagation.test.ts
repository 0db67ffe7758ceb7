/** Mounts that come and go while a container runs, and mounts of images. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("propagation", (fixture, lab) => {
  // The lab's runtimes live in a mount namespace of their own, which only a container with the node's processes can enter.
  const inNode = (line: string) => `nsenter --target 1 --mount -- /bin/sh -c '${line}'`;

  test("private, from the node to the container, and both ways", async () => {
    await using host = await folder();
    const shared = join(host.path, "shared");
    await mkdir(shared);
    await using pod = await fixture.hostNetworkPod({ hostPID: true, security: { privileged: true } });
    await using node = await fixture.container(pod, { security: { privileged: true } });
    await outputOf(node, inNode(`mount --bind ${shared} ${shared} && mount --make-shared ${shared}`));
    try {
      const mount = { hostPath: shared, containerPath: "/p" };
      await using apart = await fixture.container(pod, { mounts: [mount] });
      await using follower = await fixture.container(pod, { mounts: [{ ...mount, propagation: "hostToContainer" }] });
      await using partner = await fixture.container(pod, {
        mounts: [{ ...mount, propagation: "bidirectional" }],
        security: { privileged: true },
      });
      await outputOf(node, inNode(`mkdir ${shared}/a ${shared}/b && mount -t tmpfs of-node ${shared}/a`));
      const sees = (name: string) => `grep -c "^${name} " /proc/self/mounts || true`;
      await eventually(
        () => outputOf(follower, sees("of-node")),
        (count) => count === "1",
      );
      await eventually(
        () => outputOf(partner, sees("of-node")),
        (count) => count === "1",
      );
      expect(await outputOf(apart, sees("of-node"))).toBe("0");

      await outputOf(partner, "mount -t tmpfs of-container /p/b");
      expect(await outputOf(node, inNode(`grep -c "^of-container " /proc/self/mounts`))).toBe("1");
      expect(await outputOf(follower, sees("of-container"))).toBe("1");
      expect(await outputOf(apart, sees("of-container"))).toBe("0");
    } finally {
      await outputOf(node, inNode(`umount ${shared}/a; umount ${shared}/b; umount -l ${shared}`));
    }
  });

  test("a directory that is not shared cannot propagate, and the error says so", async () => {
    await using host = await folder();
    const pod = await fixture.sharedPod();
    await expect(
      fixture.container(pod, {
        mounts: [{ hostPath: host.path, containerPath: "/p", propagation: "hostToContainer" }],
      }),
    ).rejects.toThrow(/not a shared or slave mount/);
  });

  test("the files of another image", async () => {
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
      // Older runtimes do not know the field, see a mount without a host path, and refuse it.
      await expect(fixture.container(await fixture.sharedPod(), spec)).rejects.toThrow();
    }
    expect(await outputOf(container, "echo fine")).toBe("fine");
  });
});
