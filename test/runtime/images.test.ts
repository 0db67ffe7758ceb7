/** Pulling, finding and removing images. Also pulls from a registry that requires a password. */
import { inspect } from "node:util";
import { CriError, ImagePullError } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { allOf, expectCode, failureOf } from "./helpers/expectations.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys } from "./helpers/journeys.js";
import type { LabImages, PrivateRegistry } from "./lab/lab.js";

journeys("images", (fixture) => {
  const { cri, runtime, image } = fixture;
  const { lab } = runtime;

  test("pulls, gets and lists images by tag, digest and id", async () => {
    const ref = await cri.images.pull(image);
    const pulled = await cri.images.get(image);
    expect(pulled).toBeDefined();
    expect([pulled!.id, ...pulled!.repoDigests]).toContain(ref);
    expect(pulled!.repoTags).toContain(image);
    expect(pulled!.size.toNumber()).toBeGreaterThan(0);
    for (const reference of [ref, pulled!.id, pulled!.repoDigests[0]!]) {
      expect((await cri.images.get(reference))?.id).toBe(pulled!.id);
    }
    if (lab) expect(pulled!.repoDigests[0]).toContain(lab.images.digests[image]);
    expect((await cri.images.list()).map(({ id }) => id)).toContain(pulled!.id);
    expect((await cri.images.list({ image })).map(({ id }) => id)).toEqual([pulled!.id]);
    expect((await allOf(cri.images.iterate())).map(({ id }) => id)).toContain(pulled!.id);
    expect((await allOf(cri.images.iterate({ image }))).map(({ id }) => id)).toEqual([pulled!.id]);
    const inspected = await cri.images.inspect(image);
    expect(inspected?.image.id).toBe(pulled!.id);
    expect(JSON.stringify(inspected?.info)).toContain("rootfs");
  });

  test("for a missing image, get() and inspect() return undefined, list() is empty, and remove() succeeds", async () => {
    const absent = "localhost:1/not/there:1";
    expect(await cri.images.get(absent)).toBeUndefined();
    expect(await cri.images.inspect(absent)).toBeUndefined();
    expect(await cri.images.list({ image: absent })).toEqual([]);
    await cri.images.remove(absent);
    await cri.images.remove(absent);
  });

  test("lists the image of pod sandboxes, which every runtime except containerd 1.6 pins", async () => {
    await fixture.sharedPod();
    const isPause = (name: string) => /\/pause[:@]/.test(name);
    const pause = (await cri.images.list()).filter(({ repoTags }) => repoTags.some(isPause));
    expect(pause).not.toEqual([]);
    expect(pause.some(({ pinned }) => pinned)).toBe(!runtime.name.startsWith("containerd-1.6"));
  });

  test("reports the image filesystem", async () => {
    const { imageFilesystems } = await cri.images.fsInfo();
    expect(imageFilesystems.length).toBeGreaterThan(0);
    expect(imageFilesystems[0]!.fsId?.mountpoint).toMatch(/^\//);
  });

  test("pull() rejects an invalid reference with the reason InvalidReference", async () => {
    const failure = await failureOf(cri.images.pull("UPPER/case:is:no:reference"));
    expect(failure).toBeInstanceOf(ImagePullError);
    expect(failure).toMatchObject({ reason: "InvalidReference", image: "UPPER/case:is:no:reference" });
    await expect(cri.images.pull("")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("pull() rejects with the reason RegistryUnavailable if the registry refuses connections", async () => {
    const failure = await failureOf(cri.images.pull("127.0.0.1:1/some/image:1"));
    expect(failure).toBeInstanceOf(ImagePullError);
    expect(failure).toMatchObject({ reason: "RegistryUnavailable", image: "127.0.0.1:1/some/image:1" });
    expect(String(failure)).toMatch(/refused/);
  });

  describe.skipIf(!lab)("with the lab's registries", () => {
    const images = lab?.images as LabImages;

    test("pull() rejects with the reason NotFound for an image or tag that the registry does not have", async () => {
      const reference = images.busybox.replace("busybox:1", "no/such:1");
      const failure = await failureOf(cri.images.pull(reference));
      expect(failure).toMatchObject({
        name: "ImagePullError",
        reason: "NotFound",
        image: reference,
        code: "NOT_FOUND",
      });
      const tag = await failureOf(cri.images.pull(images.busybox.replace(":1", ":no-such-tag")));
      expect(tag).toMatchObject({ reason: "NotFound" });
    });

    test("ensure() follows the pull policy: missing, never, always", async () => {
      const calls: string[] = [];
      const client = fixture.client({ logger: { debug: (_, { method }) => void calls.push(String(method)) } });
      const pulls = () => calls.filter((method) => method === "ImageService/PullImage").length;
      await client.images.remove(images.busybox2);
      const refused = await expectCode(client.images.ensure(images.busybox2, { pullPolicy: "never" }), "NOT_FOUND");
      expect(refused.message).toContain(images.busybox2);
      expect(pulls()).toBe(0);
      const ensured = await client.images.ensure(images.busybox2);
      expect(ensured.repoTags).toEqual([images.busybox2]);
      expect(pulls()).toBe(1);
      expect((await client.images.ensure(images.busybox2, { pullPolicy: "missing" })).id).toBe(ensured.id);
      expect((await client.images.ensure(images.busybox2, { pullPolicy: "never" })).id).toBe(ensured.id);
      expect(pulls()).toBe(1);
      expect((await client.images.ensure(images.busybox2, { pullPolicy: "always" })).id).toBe(ensured.id);
      expect(pulls()).toBe(2);
      await client.images.remove(images.busybox2);
      expect(await client.images.get(images.busybox2)).toBeUndefined();
      await client.close();
    });

    test("creating a container pulls a missing image, unless the pull policy is never", async () => {
      await cri.images.remove(images.busybox2);
      const pod = await fixture.sharedPod();
      const spec = fixture.containerSpec({ image: images.busybox2 });
      await expectCode(pod.runContainer(spec, { pullPolicy: "never" }), "NOT_FOUND");
      await using container = await pod.runContainer(spec);
      expect(await outputOf(container, "echo $EDITION")).toBe("2");
      const status = await container.status();
      expect(status.image?.userSpecifiedImage || images.busybox2).toBe(images.busybox2);
      expect(status.imageRef).not.toBe("");
    });

    test("returns the user and labels of an image", async () => {
      const demo = await cri.images.ensure(images.demo);
      expect(demo.uid?.value.toString()).toBe("1000");
      const { info } = (await cri.images.inspect(images.demo))!;
      expect(JSON.stringify(info)).toContain("tests of image metadata");
      await cri.images.remove(images.demo);
    });

    test("removing an image removes all its tags", async () => {
      const tagged = await cri.images.ensure(images.demo);
      const digest = tagged.repoDigests[0]!;
      await cri.images.pull(digest);
      await cri.images.remove(digest);
      expect(await cri.images.get(images.demo)).toBeUndefined();
      expect(await cri.images.get(tagged.id)).toBeUndefined();
    });

    test("aborting a pull rejects with the signal's reason", async () => {
      const abort = new AbortController();
      const reason = new Error("aborted by the caller");
      const pull = failureOf(cri.images.pull(images.demo, { signal: abort.signal }));
      abort.abort(reason);
      expect(await pull).toBe(reason);
    });
  });

  describe.skipIf(!lab)("with a registry that requires a password", () => {
    const image = lab?.images.privateBusybox as string;
    const { username, password, serverAddress } = (lab?.privateRegistry ?? {}) as PrivateRegistry;

    test("pulls with the right credentials in every form, and for a container", async () => {
      const encoded = Buffer.from(`${username}:${password}`).toString("base64");
      for (const auth of [
        { username, password, serverAddress },
        { username, password },
        { auth: encoded, serverAddress },
      ]) {
        await cri.images.remove(image);
        await cri.images.pull(image, { auth });
      }
      await cri.images.remove(image);
      await using container = await (await fixture.sharedPod()).runContainer(fixture.containerSpec({ image }), {
        auth: { username, password, serverAddress },
      });
      expect(await outputOf(container, "echo $EDITION")).toBe("private");
      await container.remove();
      await cri.images.remove(image);
    });

    test("pulling without credentials rejects with the reason Unauthorized", async () => {
      await cri.images.remove(image);
      const failure = await failureOf(cri.images.pull(image));
      expect(failure).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", image });
      expect(CriError.is(failure)).toBe(true);
      await expect((await fixture.sharedPod()).runContainer(fixture.containerSpec({ image }))).rejects.toMatchObject({
        reason: "Unauthorized",
      });
    });

    test("wrong credentials are rejected with the reason Unauthorized, and no error or log record contains them", async () => {
      await cri.images.remove(image);
      const wrong = { username: "user-name-of-a-secret", password: "pass-word-of-a-secret", serverAddress };
      const records: unknown[] = [];
      const record = (message: string, fields: object) => void records.push([message, fields]);
      const client = fixture.client({ logger: { debug: record, warn: record } });
      const failure = await failureOf(client.images.pull(image, { auth: wrong }));
      expect(failure).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", image });
      await client.images.pull(image, { auth: { username, password, serverAddress } });
      await client.images.remove(image);
      await client.close();

      const shown = [
        String(failure),
        (failure as Error).stack,
        JSON.stringify(failure),
        JSON.stringify(failure, Object.getOwnPropertyNames(failure)),
        inspect(failure, { depth: 20, showHidden: true }),
        JSON.stringify(records),
        inspect(records, { depth: 20, showHidden: true }),
      ].join("\n");
      expect(records.length).toBeGreaterThan(0);
      for (const secret of [wrong.password, password]) {
        expect(shown).not.toContain(secret);
        expect(shown).not.toContain(Buffer.from(`${wrong.username}:${secret}`).toString("base64"));
        expect(shown).not.toContain(Buffer.from(`${username}:${secret}`).toString("base64"));
      }
    });
  });
});
