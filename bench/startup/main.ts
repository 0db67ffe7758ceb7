/**
 * What it takes to load the package, and how large it is.
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
import { installSizes, pack } from "./sizes.js";
import { type Cost, measure, subjects } from "./subjects.js";

export const help = `Time and memory that loading this package takes beside others, and what is installed with it.

Usage: npm run bench -- startup [options]

  --rounds <n>   default 15
  --no-go        changes nothing here, where nothing is in Go

Everyone is loaded by a process of its own in each round, after a round that fills the system's cache of files. "To ours" is how
many times what \`import\` of this package takes.`;

/** What is told of each, as charts. */
const quantities: (Pick<Chart, "name" | "unit"> & { of: (cost: Cost) => number })[] = [
  { name: "time to load", unit: "ms", of: ({ wallMs }) => wallMs },
  { name: "CPU time to load", unit: "ms", of: ({ cpuMs }) => cpuMs },
  { name: "memory that is more (RSS)", unit: "MB", of: ({ rssBytes }) => rssBytes / 1e6 },
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
      `Each is loaded by processes that have loaded nothing else, one in each of ${rounds} rounds after one to warm up; time, CPU time and memory are what the process itself ` +
      "sees around the `import` or `require`. Each comes with what a client of a runtime needs: a gRPC library and the messages of CRI, generated or read from the schema.",
    warnings,
    sections: [
      { id: "startup", title: "Loading", about: loaded.facts, charts },
      {
        id: "size",
        title: "Size",
        about:
          `The tarball has ${show(packed.size / 1e6)} MB; unpacked it is ${show(packed.unpackedSize / 1e6)} MB in ${packed.entryCount} files, ES modules, CommonJS, declarations and fakes for tests. ` +
          "What is installed is the sum of the sizes of all files of the package and of the packages that npm installs with it. The others have no code for CRI's messages in it.",
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
