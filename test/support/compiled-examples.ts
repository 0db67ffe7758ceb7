/**
 * Compiles the examples to JavaScript. Starting one with tsx takes two seconds of CPU time, and the tests start dozens.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "examples");

/** The programs of examples/. */
export const examples = readdirSync(folder).filter((name) => name.endsWith(".ts"));

/** Compiled examples that Node.js can start. */
export interface CompiledExamples extends AsyncDisposable {
  /** Returns the path of a compiled example, such as `top.ts` or `quickstart/main.ts`. */
  program(file: string): string;
}

/** Compiles the examples and the sources of the package into a folder in which Node.js finds the dependencies. */
export async function compileExamples(): Promise<CompiledExamples> {
  await mkdir(join(root, ".cache"), { recursive: true });
  const outdir = await mkdtemp(join(root, ".cache", "examples-"));
  await build({
    absWorkingDir: root,
    entryPoints: [...examples, "quickstart/main.ts"].map((file) => join(folder, file)),
    outbase: folder,
    outdir,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  return {
    program: (file) => join(outdir, file.replace(/\.ts$/, ".js")),
    [Symbol.asyncDispose]: () => rm(outdir, { recursive: true, force: true }),
  };
}
