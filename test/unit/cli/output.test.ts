import { expect, test } from "vitest";
import { age, podName, shortId, size } from "../../../src/cli/output/cells.js";
import { statusDocument } from "../../../src/cli/output/document.js";
import { structured } from "../../../src/cli/output/format.js";
import { colorOf } from "../../../src/cli/output/styles.js";
import { printable, table } from "../../../src/cli/output/table.js";
import type { Output } from "../../../src/cli/terminal.js";

test.each([
  [0, "0B"],
  [999, "999B"],
  [1_000, "1kB"],
  [4_269_678, "4.27MB"],
  [999_600, "1MB"],
  [12_345_678_901, "12.3GB"],
])("%d bytes are %s", (bytes, text) => expect(size(bytes)).toBe(text));

test.each([
  [0, "0s"],
  [119, "119s"],
  [120, "2m"],
  [7_199, "119m"],
  [7_200, "2h"],
  [172_800, "2d"],
])("an age of %d seconds is %s", (seconds, text) => {
  const now = 1_700_000_000_000;
  expect(age(new Date(now - seconds * 1_000), now)).toBe(text);
  // Clocks of runtimes may be ahead.
  expect(age(new Date(now + 5_000), now)).toBe("0s");
  expect(age(undefined)).toBe("");
});

test("ids are shortened unless they are wanted in full", () => {
  expect(shortId("sha256:0123456789abcdef", true)).toBe("0123456789abc");
  expect(shortId("sha256:0123456789abcdef", false)).toBe("sha256:0123456789abcdef");
  expect(podName(undefined)).toBe("");
});

test("a table has columns as wide as their longest cell, and no control characters", () => {
  const columns = [
    { title: "NAME", cell: (name: string) => name },
    { title: "LENGTH", cell: (name: string) => String(name.length) },
  ];
  expect(table(["a", "longer", "x\u001b[2J\n"], columns)).toBe(
    "NAME     LENGTH\na        1\nlonger   6\nx\ufffd[2J\ufffd   6\n",
  );
  expect(printable("a\u202eb\u2028c")).toBe("a\ufffdb\ufffdc");
});

test("documents keep integers exact, in JSON and YAML", async () => {
  const info = { info: '{"pid":12,"big":9007199254740993,"text":"x"}', plain: "not JSON", status: '"no"' };
  const document = statusDocument({ id: "c", createdAt: "1700000000123456789", finishedAt: "0" }, info);
  expect(document).toMatchObject({
    status: { id: "c", createdAt: "2023-11-14T22:13:20.123456789Z", finishedAt: "0" },
    plain: "not JSON",
  });
  expect(await structured(document, "json")).toContain('"big": 9007199254740993');
  expect(await structured(document, "yaml")).toContain("big: 9007199254740993");
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: "1" }, false],
  [false, { FORCE_COLOR: "1" }, true],
  [true, { FORCE_COLOR: "0" }, false],
  [true, { TERM: "dumb" }, false],
  [true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
])("a terminal: %s with %j has colours: %s", (isTTY, env, expected) => {
  expect(colorOf({ isTTY } as Output, env)).toBe(expected);
});
