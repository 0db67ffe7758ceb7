/**
 * Runs the tests of hostile peers. Prints the figures of each test and the maximum of each file, as tables for
 * `docs/reliability.md`.
 *
 *     npm run hostile:figures
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figures } from "../test/support/figures.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules/vitest/vitest.mjs");

/** Formats the maximum of each figure and all outcomes as cells of a table. */
function maximumOf(figures: readonly Figures[]): string {
  const largest = (figure: "elapsedMs" | "mebibytes" | "stallMs") =>
    Math.ceil(Math.max(...figures.map((one) => one[figure])));
  const outcomes = [...new Set(figures.map(({ outcome }) => outcome))].join(", ");
  return `${outcomes} | ${largest("elapsedMs")} ms | ${largest("mebibytes")} MiB | ${largest("stallMs")} ms |`;
}

function print(title: string, groups: ReadonlyMap<string, readonly Figures[]>): void {
  console.log(`\n| ${title} | outcome | time | memory | longest stall |\n|---|---|---|---|---|`);
  for (const [name, figures] of groups) console.log(`| ${name} | ${maximumOf(figures)}`);
}

function groupBy(figures: readonly Figures[], nameOf: (figures: Figures) => string): Map<string, Figures[]> {
  const groups = new Map<string, Figures[]>();
  for (const one of figures) groups.set(nameOf(one), [...(groups.get(nameOf(one)) ?? []), one]);
  return groups;
}

const folder = mkdtempSync(join(tmpdir(), "cri-figures-"));
try {
  const file = join(folder, "figures");
  // One file at a time, because the memory and time of others would be measured as well.
  const { status } = spawnSync(process.execPath, [vitest, "run", "hostile", "--no-file-parallelism"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CRI_TEST_FIGURES: file, CRI_LAB: "off" },
  });
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const figures = lines.map((line) => JSON.parse(line) as Figures);
  print(
    "test",
    groupBy(figures, ({ test }) => test.replace(/\s*\n\s*/g, " ")),
  );
  print(
    "file",
    groupBy(figures, ({ file }) => relative(root, file)),
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
