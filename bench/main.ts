/**
 * `npm run bench -- NAME [options]`: measurements, each in a folder of its own with a `main.ts` that exports `help`, and `main` or
 * `page` or both. `npm run bench` without a name: those that export `page`, for `docs/performance.md`.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { printReport, type Report, writePage } from "./support/page.js";

interface Benchmark {
  /** What it measures and its options, in a few lines. */
  help: string;
  /** Measures and prints. Without it the report for the page is printed. */
  main?(args: string[]): Promise<void>;
  /** Measures for the page. */
  page?(args: string[]): Promise<Report>;
}

const here = (path: string) => new URL(path, import.meta.url);
const names = readdirSync(here(".")).filter((name) => existsSync(fileURLToPath(here(`${name}/main.ts`))));
const load = async (name: string) => (await import(here(`${name}/main.ts`).href)) as Benchmark;

async function measureAll(args: string[]): Promise<void> {
  if (args.some((arg) => arg.startsWith("--only"))) throw new Error("--only needs a NAME: the page has everything.");
  const reports: Report[] = [];
  for (const name of names) {
    const { page } = await load(name);
    if (!page) continue;
    console.log(name);
    reports.push(await page(args));
  }
  await writePage(fileURLToPath(here("../docs")), reports);
  for (const warning of reports.flatMap(({ warnings }) => warnings)) console.log(`!!! ${warning}`);
  console.log("docs/performance.md has the figures.");
}

async function measureOne(name: string, args: string[]): Promise<void> {
  const { help, main, page } = await load(name);
  if (args.includes("--help")) console.log(help);
  else if (main) await main(args);
  else if (page) printReport(await page(args));
}

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !name.startsWith("--") && !names.includes(name)) {
  console.error(`There is: ${names.join(", ")}`);
  process.exitCode = 2;
} else if (name === "--help") {
  console.log(`Usage: npm run bench [-- --rounds <n>]
       npm run bench -- NAME [--help]

Without NAME everything that docs/performance.md has is measured and written there. There is: ${names.join(", ")}`);
} else {
  const all = name === undefined || name.startsWith("--");
  await (all ? measureAll(process.argv.slice(2)) : measureOne(name, args)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
