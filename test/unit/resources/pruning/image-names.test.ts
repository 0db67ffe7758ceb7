import { expect, test } from "vitest";
import { matchesImage, plainName } from "../../../../src/resources/pruning/image-names.js";

const hex = "0123456789abcdef".repeat(4);

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1", "docker.io/library/busybox:1"],
  ["index.docker.io/team/app:1", "docker.io/team/app:1"],
  ["registry.example:5000/app", "registry.example:5000/app:latest"],
  [`app:1@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
  [`docker-pullable://app@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
  [`sha256:${hex}`, hex],
  [`docker://sha256:${hex}`, hex],
  [hex, hex],
])("converts %s to %s", (name, plain) => {
  expect(plainName(name)).toBe(plain);
});

test.each<[pattern: string, matches: boolean]>([
  ["app", true],
  ["app:1", true],
  ["app:2", false],
  ["ap", false],
  ["a*p", true],
  ["app*p", false],
  ["docker.io/library/app", true],
  ["*/app", true],
  ["*:1", true],
  [`*@sha256:${hex.slice(0, 8)}*`, true],
  [`sha256:${hex}`, true],
  [hex.slice(0, 13), true],
  [hex.slice(0, 11), false],
  ["docker.io/app", true],
  ["docker.io/app:1", true],
  ["docker.io/app:2", false],
  ["other.example/app", false],
  [`app:9@sha256:${hex}`, true],
  [`docker.io/library/app:9@sha256:${hex}`, true],
  [`app:1@sha256:${hex.replace("0", "1")}`, false],
  [`${hex.slice(0, 12)}*`, true],
  ["**app**", true],
  ["*a*q*", false],
  ["none", false],
])("the pattern %s matches an image that Docker lists: %s", (pattern, matches) => {
  const image = { id: `sha256:${hex}`, repoTags: ["app:1", "<none>:<none>"], repoDigests: [`app@sha256:${hex}`] };
  expect(matchesImage(pattern, image)).toBe(matches);
});

test("matches a pattern with many asterisks in linear time", () => {
  const image = { id: hex, repoTags: [`registry.example/${"a".repeat(200)}:1`], repoDigests: [] };
  expect(matchesImage(`${"*a".repeat(150)}*b`, image)).toBe(false);
});
