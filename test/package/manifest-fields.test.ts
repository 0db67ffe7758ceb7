import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { acceptedPaths, guidePath, withFields } from "./manifest-fields.js";
import { supportedByPodman, unsupportedByPodman } from "./podman-fields.js";

test("the lists of fields in the guide are up to date: otherwise run `npm run manifests:page`", () => {
  const guide = readFileSync(guidePath, "utf8");
  expect(guide).toBe(withFields(guide));
});

test("accepts all fields of Pods that podman kube play supports, and the others but for Windows, devices and readiness gates", () => {
  const accepted = acceptedPaths();
  expect(supportedByPodman.filter((path) => !accepted.has(path))).toEqual([]);
  const neither = unsupportedByPodman.filter((path) => !accepted.has(path));
  expect(neither.filter((path) => !/windowsOptions|volumeDevices|readinessGates/.test(path))).toEqual([]);
});
