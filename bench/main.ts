/**
 * `npm run bench -- NAME [options]`: measurements, each in a folder of its own with a `main.ts` that exports `help` and `main`.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Benchmark {
  /** What it measures and its options, in a few lines. */
  help: string;
  main(args: string[]): Promise<void>;
}

const here = (path: string) => new URL(path, import.meta.url);
const names = readdirSync(here(".")).filter((name) => existsSync(fileURLToPath(here(`${name}/main.ts`))));

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--help]\nThere is: ${names.join(", ")}`);
  process.exit(2);
}
const { help, main } = (await import(here(`${name}/main.ts`).href)) as Benchmark;
if (args.includes("--help")) console.log(help);
else {
  await main(args).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
