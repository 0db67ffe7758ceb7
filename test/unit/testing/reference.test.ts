import { describe, expect, test } from "vitest";
import { ImageStore } from "../../../src/testing/state/images.js";
import { formatReference, parseReference } from "../../../src/testing/state/reference.js";
import { checkPull } from "../../../src/testing/state/registry.js";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1", "docker.io/library/busybox:1"],
  ["acme/app", "docker.io/acme/app:latest"],
  ["localhost/app", "localhost/app:latest"],
  ["localhost:5000/app:2", "localhost:5000/app:2"],
  ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"],
  [`ghcr.io/a/b/c@${digest}`, `ghcr.io/a/b/c@${digest}`],
  [`busybox:1@${digest}`, `docker.io/library/busybox@${digest}`],
])("%s is %s", (given, full) => {
  expect(formatReference(parseReference(given) as never)).toBe(full);
});

test.each(["", "UPPER//x", "Busybox", "a//b", "a:b:c", "a@sha256:12", "a:", "-a", "a b", "host.io/"])(
  "%j is not a reference",
  (given) => {
    expect(parseReference(given)).toBeUndefined();
  },
);

describe("the image store", () => {
  test("finds an image by each of its names", () => {
    const store = new ImageStore();
    const image = store.add({ reference: "busybox:1" });
    const bare = image.id.slice("sha256:".length);
    for (const name of [
      image.id,
      bare,
      bare.slice(0, 12),
      "busybox:1",
      "docker.io/library/busybox:1",
      image.digests[0],
    ]) {
      expect(store.find(name as string)).toBe(image);
    }
    expect(store.find("busybox")).toBeUndefined();
  });

  test("returns the same image for the same reference", () => {
    const one = new ImageStore().add({ reference: "busybox:1" });
    const other = new ImageStore().add({ reference: "docker.io/library/busybox:1" });
    expect(other).toEqual(one);
  });

  test("finds one image by a digest and its tag", () => {
    const store = new ImageStore();
    const tagged = store.add({ reference: "busybox:1" });
    expect(store.add({ reference: tagged.digests[0] as string })).toBe(tagged);
    expect(store.all).toHaveLength(1);
  });
});

describe("the registry", () => {
  const rules = {
    "private/*": { username: "u", password: "p" },
    "gone:*": "missing",
    "down.io/*": "unavailable",
  } as const;
  const pull = (name: string, auth?: object) =>
    checkPull(
      rules,
      parseReference(name) as never,
      auth && ({ username: "", password: "", auth: "", serverAddress: "", ...auth } as never),
    );

  test("rejects pulls by pattern", () => {
    expect(() => pull("gone:1")).toThrow(/not found/);
    expect(() => pull("down.io/x")).toThrow(/connection refused/);
    expect(() => pull("private/app")).toThrow(/authorization failed/);
    expect(() => pull("public/app")).not.toThrow();
  });

  test("accepts credentials in both forms, for its own host only", () => {
    const auth = Buffer.from("u:p").toString("base64");
    expect(() => pull("private/app", { username: "u", password: "p" })).not.toThrow();
    expect(() => pull("private/app", { auth })).not.toThrow();
    expect(() => pull("private/app", { auth, serverAddress: "https://docker.io" })).not.toThrow();
    expect(() => pull("private/app", { auth, serverAddress: "https://other.io" })).toThrow();
    expect(() => pull("private/app", { auth, serverAddress: "docker.io" })).toThrow();
    expect(() => pull("private/app", { username: "u", password: "x" })).toThrow();
  });
});
