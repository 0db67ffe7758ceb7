/** @module */
import { rename } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const example = fileURLToPath(new URL("..", import.meta.url));

/**
 * Compiles a program of this example with the sources of the SDK, and returns its path. A process that compiles its own source starts
 * late, and has other needs than one on a node.
 */
export async function compile(source: "src/main.ts" | "scale/worker.ts" | "bench/plain.ts"): Promise<string> {
  const path = `${example}dist/programs/${basename(source, ".ts")}.js`;
  await build({
    absWorkingDir: example,
    entryPoints: [source],
    outfile: `${path}.${process.pid}`,
    bundle: true,
    format: "esm",
    target: "node20",
    platform: "node",
    // All packages are bundled, because loading their thousand files takes seconds. Some of them call `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  // Other processes may run the same file.
  await rename(`${path}.${process.pid}`, path);
  return path;
}
