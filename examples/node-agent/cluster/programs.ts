/** @module */
import { rename } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const example = fileURLToPath(new URL("..", import.meta.url));
const compiled = new Map<string, Promise<string>>();

/**
 * Compiles a program of this example with the sources of the SDK, once, and returns its path. A process that compiles its own source
 * starts late, and has other needs than one on a node.
 */
export function compile(source: "src/main.ts" | "scale/worker.ts" | "bench/plain.ts"): Promise<string> {
  const path = compiled.get(source) ?? compileTo(`${example}dist/programs/${basename(source, ".ts")}.js`, source);
  compiled.set(source, path);
  return path;
}

async function compileTo(path: string, source: string): Promise<string> {
  const draft = `${path}.${process.pid}`;
  await build({
    absWorkingDir: example,
    entryPoints: [source],
    outfile: draft,
    bundle: true,
    format: "esm",
    target: "node20",
    platform: "node",
    // All packages are bundled, because loading their thousand files takes seconds. Some of them call `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  // Other processes may run the same file.
  await rename(draft, path);
  return path;
}
