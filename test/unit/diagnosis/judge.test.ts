/** The judgement of facts that a test machine does not have: other cgroups, full disks, clocks that differ. */
import { expect, test } from "vitest";
import { type CgroupFacts, judgeCgroups } from "../../../src/diagnosis/checks/cgroups.js";
import { judgeClock } from "../../../src/diagnosis/checks/clock.js";
import { type DiskSpace, judgeDisk } from "../../../src/diagnosis/checks/disk.js";
import { finding } from "../../../src/diagnosis/finding.js";

test.each<[CgroupFacts, string, RegExp | undefined]>([
  [{ driver: "systemd", version: 2, hasSystemd: true }, "ok", undefined],
  [{ driver: "cgroupfs", version: 2, hasSystemd: false }, "ok", undefined],
  [{ driver: undefined, version: 1, hasSystemd: true }, "ok", undefined],
  [{ driver: "cgroupfs", version: 2, hasSystemd: true }, "warning", /to systemd/],
  [{ driver: "systemd", version: 1, hasSystemd: false }, "failure", /to cgroupfs/],
  [{ driver: "cgroupfs", version: undefined, hasSystemd: false }, "failure", /Mount the cgroup file system/],
])("the cgroup driver %o is judged as %s", (facts, status, remedy) => {
  const found = judgeCgroups(facts, "restart it");
  expect(found.status).toBe(status);
  if (remedy) expect(found.remedy).toMatch(remedy);
  else expect(found.remedy).toBeUndefined();
  if (remedy && facts.version) expect(found.commands.at(-1)).toBe("restart it");
});

const gibibyte = 2 ** 30;
const space = (changes: Partial<DiskSpace>): DiskSpace => ({
  ...{ totalBytes: 100 * gibibyte, freeBytes: 50 * gibibyte, inodes: 1_000, freeInodes: 900 },
  ...changes,
});

test.each<[DiskSpace | "hangs" | undefined, string, RegExp]>([
  [space({}), "ok", /50\.0 GiB free \(50 %\)/],
  [space({ freeBytes: 14 * gibibyte }), "warning", /14\.0 GiB free \(14 %\)/],
  [space({ freeInodes: 10 }), "warning", /1 % of the inodes/],
  [space({ inodes: 0, freeInodes: 0 }), "ok", /50 %/],
  [space({ freeBytes: 0 }), "failure", /^full: .*: images, 0 B free/],
  [space({ freeInodes: 0 }), "failure", /^full: /],
  [space({ totalBytes: 0, freeBytes: 0 }), "ok", /not visible/],
  [undefined, "ok", /not visible/],
  ["hangs", "failure", /its file system does not answer/],
])("a disk with %o is judged as %s", (given, status, text) => {
  const found = judgeDisk({ path: "/images", purpose: "images", wantedFree: 0.15, space: given });
  expect(found).toMatchObject({ check: "disk", status, found: expect.stringMatching(text) });
  expect(found.commands.length > 0).toBe(status !== "ok");
});

test.each([
  [0, "ok", /agree/],
  [-1_999, "ok", /agree/],
  [65_000, "warning", /65 s ahead of/],
  [-3_600_000, "warning", /3600 s behind/],
])("a clock that is %i ms ahead is judged as %s", (aheadMs, status, text) => {
  expect(judgeClock(aheadMs)).toMatchObject({ status, found: expect.stringMatching(text) });
});

test("a finding bounds what a runtime can make it contain", () => {
  const { found, details } = finding("runtime", "ok", "x".repeat(100_000), {
    details: Array.from({ length: 10_000 }, () => "y".repeat(100_000)),
  });
  expect(found.length).toBeLessThan(2_000);
  expect(details.length).toBeLessThan(100);
  expect(details[0]?.length).toBeLessThan(2_000);
});
