import { expect, test } from "vitest";
import { containerConfig, createContainer, failureOf, podConfig, runPod, start } from "./fake-support.js";

const digest = `sha256:${"a".repeat(64)}`;

test("references with one digest are names of one image", async () => {
  const { fake, images } = await start({
    images: [{ reference: "one.test/a:1", digest }],
    registryImages: [{ reference: "two.test/b:2", digest }],
  });
  await images.pullImage({ image: { image: "two.test/b:2" } });
  expect(fake.images).toMatchObject([
    { repoTags: ["one.test/a:1", "two.test/b:2"], repoDigests: [`one.test/a@${digest}`, `two.test/b@${digest}`] },
  ]);
});

test.each([
  [undefined, { uid: 1000, gid: 1000, supplementalGroups: [1000, 1234, 50_000] }],
  ["Strict", { uid: 1000, gid: 1000, supplementalGroups: [1000, 1234] }],
] as const)("an image's user has the image's groups, unless the policy is %s", async (policy, expected) => {
  const image = { reference: "busybox:1", user: 1000, gid: 1000, groups: [50_000] };
  const connected = await start({ images: [image] });
  const podSandboxId = await runPod(connected);
  const securityContext = { supplementalGroups: [1234], ...(policy && { supplementalGroupsPolicy: 1 }) };
  const config = { ...containerConfig("main"), stopSignal: 10, linux: { securityContext } };
  const { containerId } = await connected.runtime.createContainer({
    podSandboxId,
    config,
    sandboxConfig: podConfig("web"),
  });
  const { status } = await connected.runtime.containerStatus({ containerId });
  const { uid, gid, supplementalGroups } = status?.user?.linux ?? {};
  expect({ uid: Number(uid), gid: Number(gid), supplementalGroups: supplementalGroups?.map(Number) }).toEqual(expected);
  expect(status?.stopSignal).toBe(0);
});

test("pulls digests of SHA-512, but not the bare id of an image", async () => {
  const { images } = await start();
  await images.pullImage({ image: { image: `busybox@sha512:${"b".repeat(128)}` } });
  const error = await failureOf(images.pullImage({ image: { image: "c".repeat(64) } }));
  expect(error.details).toContain("invalid reference format");
});

test("reports the file system of images at the given mountpoint", async () => {
  const { images, runtime } = await start({ mountpoint: "/tmp", userNamespaces: true });
  expect((await images.imageFsInfo({})).imageFilesystems[0]?.fsId?.mountpoint).toBe("/tmp");
  expect((await runtime.status({})).runtimeHandlers.every(({ features }) => features?.userNamespaces)).toBe(true);
});

test("RunPodSandbox pulls the image of pod sandboxes if it is missing, and pins it except on containerd 1.6", async () => {
  for (const flavor of ["containerd-1.6", "containerd-2"] as const) {
    const connected = await start({ flavor });
    const { images, fake } = connected;
    for (const name of ["one", "two"]) {
      expect(fake.images).toHaveLength(1);
      await runPod(connected, name);
      const { images: listed } = await images.listImages({});
      expect(listed.map(({ pinned }) => pinned)).toEqual([false, flavor === "containerd-2"]);
      await images.removeImage({ image: { image: listed[1]?.id ?? "" } });
    }
  }
});

test.each([
  ["containerd-2", undefined],
  ["cri-o", /^image used by [0-9a-f]{64}: image is in use by a container$/],
  [
    "cri-dockerd",
    /daemon: conflict: unable to remove repository reference "docker\.io\/library\/busybox:1" \(must force\) - container \w{12} is using its referenced image \w{12}$/,
  ],
] as const)("only containerd removes an image that a container uses: %s", async (flavor, refusal) => {
  const connected = await start({ flavor, strict: false });
  await createContainer(connected, await runPod(connected));
  const id = connected.fake.images[0]?.id ?? "";
  const removing = connected.images.removeImage({ image: { image: id } });
  if (refusal) expect((await failureOf(removing)).details).toMatch(refusal);
  else await removing;
  expect(connected.fake.images.some((image) => image.id === id)).toBe(refusal !== undefined);
});
