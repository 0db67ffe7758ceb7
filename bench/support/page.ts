/**
 * `docs/performance.md`, out of what the benchmarks with a page have measured.
 *
 * @module
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Chart, chartTable } from "./chart.js";
import type { Score } from "./interleave.js";
import { machine } from "./machine.js";
import { plot } from "./plot.js";

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
