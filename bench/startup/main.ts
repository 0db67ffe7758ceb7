/**
 * Measures the time and memory of loading the package, and its size.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { buildDist, generateProtobufEs, output } from "../support/build.js";
import { barsOf, type Chart } from "../support/chart.js";
import { interleave } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median, show } from "../support/statistics.js";
import { loadedBy } from "./loaded.js";
import { dependencySizes, installSizes, pack } from "./sizes.js";
import { type Cost, measure, subjects } from "./subjects.js";

export const help = `Measures time and memory of loading this package and others, and the size of their installations.

Usage: npm run bench -- startup [options]

  --rounds <n>   default 15
  --no-go        has no effect here: this benchmark has no Go programs

In each round, a new process loads each package, after one round that fills the system's file cache. "To ours" is the ratio to
\`import\` of this package.`;

/** The charts of loading. */
const quantities: (Pick<Chart, "name" | "unit"> & { of: (cost: Cost) => number })[] = [
  { name: "time to load", unit: "ms", of: ({ wallMs }) => wallMs },
  { name: "CPU time to load", unit: "ms", of: ({ cpuMs }) => cpuMs },
  { name: "added memory (RSS)", unit: "MB", of: ({ rssBytes }) => rssBytes / 1e6 },
];

export async function page(args: string[]): Promise<Report> {
  const { rounds } = parseOptions(args, { rounds: 15, "no-go": false });
  await mkdir(output, { recursive: true });
  await buildDist();
  generateProtobufEs();
  const loaded = await loadedBy(subjects);
  const warnings = [...loaded.warnings];
  const charts = await measureAll(rounds, warnings);
  const packed = await pack();
  return {
    title: "Startup and size",
    about:
      `In each of ${rounds} rounds, after one round of warm-up, each entry is loaded by a new process. The process measures time, CPU time and memory around the \`import\` or \`require\`. ` +
      "Each entry except the baselines includes a gRPC library and the CRI messages, generated or read from the schema.",
    warnings,
    sections: [
      { id: "startup", title: "Loading", about: loaded.facts, charts },
      {
        id: "size",
        title: "Size",
        about:
          `The tarball has ${show(packed.size / 1e6)} MB. Unpacked, it has ${show(packed.unpackedSize / 1e6)} MB in ${packed.entryCount} files. ` +
          "The installed size is the sum of all files of the package and of the packages that npm installs with it. The other libraries contain no code for CRI messages. " +
          `What each dependency brings, with the packages that it needs, some of which are the same: ${await dependencySizes()}.`,
        charts: [await installSizes(packed)],
      },
    ],
  };
}

async function measureAll(rounds: number, warnings: string[]): Promise<Chart[]> {
  const contestants = subjects.map((subject) => ({ ...subject, run: () => measure(subject) }));
  await interleave(contestants, 1);
  const scores = await interleave(contestants, rounds);
  warnings.push(...failuresOf("loading", scores));
  return quantities.map(({ name, unit, of }) => ({
    name,
    unit,
    columns: ["p50", "max"],
    bars: barsOf(scores, (results) => [median(results.map(of)), Math.max(...results.map(of))]),
  }));
}
