import { expect, it, test } from "vitest";
import { WindowsContainerResources } from "../../../src/proto.js";
import type { ResourcesSpec } from "../../../src/specs/resources.js";
import { toWindowsResources } from "../../../src/specs/windows-resources.js";
import { refusal } from "./refusal.js";

test.each<[string, ResourcesSpec, object]>([
  ["nothing", {}, {}],
  ["a CPU limit is a share of all processors", { limits: { cpu: "2" } }, { cpuMaximum: "5000" }],
  ["a share is rounded down", { limits: { cpu: "333m" } }, { cpuMaximum: "832" }],
  ["a share is at most all processors", { limits: { cpu: "64" } }, { cpuMaximum: "10000" }],
  ["no CPU limit", { limits: { cpu: 0, memory: 0 } }, {}],
  ["memory", { limits: { memory: "1Gi" } }, { memoryLimitInBytes: "1073741824" }],
  ["memory in thousandths", { limits: { memory: "128974848000m" } }, { memoryLimitInBytes: "128974848" }],
  ["requests have no field", { requests: { cpu: "1", memory: "64Mi" } }, {}],
])("%s", (_, spec, expected) => {
  expect(WindowsContainerResources.toJSON(toWindowsResources(spec, "r", 4)!)).toEqual(expected);
});

it("has a share of at least 1 on a node with many processors", () => {
  expect(toWindowsResources({ limits: { cpu: "1m" } }, "r", 256)?.cpuMaximum.toString()).toBe("1");
});

test.each<[unknown, RegExp]>([
  [{ cpusetCpus: "0" }, /^r.cpusetCpus: is for Linux/],
  [{ limits: { "hugepages-2Mi": "2Mi" } }, /^r.limits\["hugepages-2Mi"\]: unknown field/],
  [{ requests: { cpu: 2 }, limits: { cpu: 1 } }, /^r.requests.cpu: must not exceed the limit/],
  [{ limit: {} }, /^r.limit: unknown field; did you mean limits\?/],
])("refuses %o", (spec, expected) => {
  expect(refusal(() => toWindowsResources(spec as never, "r", 4))).toMatch(expected);
});
