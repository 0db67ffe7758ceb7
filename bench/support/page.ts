/**
 * `docs/performance.md`, out of what the benchmarks with a page have measured.
 *
 * @module
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Role, Score } from "./interleave.js";
import { machine } from "./machine.js";
import { plot } from "./plot.js";
import { show } from "./statistics.js";
import { table } from "./table.js";

/** One of those that were measured. */
export interface Bar {
  name: string;
  role: Role;
  /** As many as the chart has columns; the first one is drawn, and compared. */
  figures: [number, number];
}

/** One measurement. Less is better. */
export interface Chart {
  name: string;
  unit: string;
  columns: [string, string];
  bars: Bar[];
}

/** Measurements that belong together, in one picture. */
export interface Section {
  /** Names the picture. */
  id: string;
  title: string;
  about: string;
  charts: Chart[];
}

/** What a benchmark's `page` resolves with. */
export interface Report {
  title: string;
  /** What was measured, and how. */
  about: string;
  /** What is missing, or went wrong. */
  warnings: string[];
  sections: Section[];
}

/** One for each of those that have achieved something. */
export function barsOf<Result>(
  scores: readonly Score<Result>[],
  summarise: (results: readonly Result[]) => [number, number],
): Bar[] {
  const measured = scores.filter(({ results }) => results.length > 0);
  return measured.map(({ name, role, results }) => ({ name, role, figures: summarise(results) }));
}

/** What kept some from it, for the warnings. */
export function failuresOf(what: string, scores: readonly Score<unknown>[]): string[] {
  return scores.flatMap(({ name, failures }) => failures.map((failure) => `${what}: ${name}: ${failure}`));
}

/** Prints a report, without its pictures. */
export function printReport({ title, about, warnings, sections }: Report): void {
  console.log(`\n${title}\n\n${about}`);
  for (const section of sections) {
    console.log(`\n${section.about}`);
    for (const chart of section.charts) console.log(`\n${chart.name}\n\n${chartTable(chart)}`);
  }
  for (const warning of warnings) console.log(`\n!!! ${warning}`);
}

/** The table of a chart, with each one's ratio to ours. */
export function chartTable({ unit, columns, bars }: Chart): string {
  const ours = bars.find(({ role }) => role === "ours")?.figures[0] ?? Number.NaN;
  const rows = bars.map(({ name, role, figures }) => [
    role === "yardstick" ? `${name} (yardstick)` : name,
    ...figures.map(show),
    show(figures[0] / ours),
  ]);
  return table(["", ...columns.map((column) => `${column} ${unit}`), "to ours"], rows);
}

/** Writes the page and its pictures. */
export async function writePage(docs: string, reports: readonly Report[]): Promise<void> {
  const pictures = join(docs, "performance");
  await rm(pictures, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  for (const { id, title, charts } of reports.flatMap(({ sections }) => sections)) {
    await writeFile(join(pictures, `${id}.svg`), plot(title, charts));
  }
  await writeFile(join(docs, "performance.md"), pageOf(reports));
}

function pageOf(reports: readonly Report[]): string {
  const parts = [
    "# Performance",
    "Written by `npm run bench`, which measures all of this again on your machine; `npm run bench -- NAME` measures one part and only prints. " +
      '"To ours" is how many times our figure it is: above 1 is slower, or more. Yardsticks are no clients, but tell what the machine allows. p99 is what 99 of 100 calls did not exceed.',
    `Measured on ${machine()}.`,
  ];
  for (const { title, about, warnings, sections } of reports) {
    parts.push(`## ${title}`, about, ...warnings.map((warning) => `**Note:** ${warning}`));
    for (const section of sections) {
      parts.push(`### ${section.title}`, section.about, `![${section.title}](performance/${section.id}.svg)`);
      for (const chart of section.charts) parts.push(`**${chart.name}**`, chartTable(chart));
    }
  }
  return `${parts.join("\n\n")}\n`;
}
