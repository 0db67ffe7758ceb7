/**
 * `npm run bench -- NAME [options]` runs one benchmark. `npm run bench` runs those that export `page`, and writes
 * `docs/performance.md`; with a NAME and `--write`, it writes only the part of that benchmark. Each benchmark is a folder whose `main.ts` exports `help`, and `main`, `page` or both.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { printReport, type Report, replacePart, writePage } from "./support/page.js";

interface Benchmark {
  /** What it measures, and its options. */
  help: string;
  /** Measures and prints. @defaultValue prints the report for the page */
  main?(args: string[]): Promise<void>;
  /** Measures for the page. */
  page?(args: string[]): Promise<Report>;
}

const here = (path: string) => new URL(path, import.meta.url);
const docs = fileURLToPath(here("../docs"));
const names = readdirSync(here(".")).filter((name) => existsSync(fileURLToPath(here(`${name}/main.ts`))));
const load = async (name: string) => (await import(here(`${name}/main.ts`).href)) as Benchmark;

async function measureAll(args: string[]): Promise<void> {
  if (args.some((arg) => arg.startsWith("--only")))
    throw new Error("--only needs a NAME: the page contains all measurements");
  const reports: Report[] = [];
  for (const name of names) {
    const { page } = await load(name);
    if (!page) continue;
    console.log(name);
    reports.push(await page(args));
  }
  await writePage(docs, reports);
  for (const warning of reports.flatMap(({ warnings }) => warnings)) console.log(`!!! ${warning}`);
  console.log("Wrote docs/performance.md.");
}

async function measureOne(name: string, args: string[]): Promise<void> {
  const { help, main, page } = await load(name);
  const others = args.filter((arg) => arg !== "--write");
  if (args.includes("--help")) console.log(help);
  else if (others.length < args.length) {
    if (!page) throw new Error(`${name} is not on the page.`);
    const report = await page(others);
    printReport(report);
    await replacePart(docs, report);
  } else if (main) await main(args);
  else if (page) printReport(await page(args));
}

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !name.startsWith("--") && !names.includes(name)) {
  console.error(`There is no benchmark "${name}". Choose one of: ${names.join(", ")}`);
  process.exitCode = 2;
} else if (name === "--help") {
  console.log(`Usage: npm run bench [-- --rounds <n>]
       npm run bench -- NAME [--help] [--write]

Without NAME, measures everything in docs/performance.md and writes that page. With --write, measures NAME and writes its part of
the page. NAME is one of: ${names.join(", ")}`);
} else {
  const all = name === undefined || name.startsWith("--");
  await (all ? measureAll(process.argv.slice(2)) : measureOne(name, args)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
