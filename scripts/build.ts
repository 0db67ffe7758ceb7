/**
 * Builds dist/: the sources once as ECMAScript modules and once as CommonJS.
 *
 *     npm run build
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(root, "node_modules/typescript/bin/tsc");

async function compile(project: string): Promise<void> {
  const compiler = spawn(process.execPath, [tsc, "-p", project], { cwd: root, stdio: "inherit" });
  const [code] = await once(compiler, "exit");
  if (code !== 0) throw new Error(`tsc -p ${project} failed.`);
}

await rm(join(root, "dist"), { recursive: true, force: true });
await Promise.all(["tsconfig.esm.json", "tsconfig.cjs.json"].map(compile)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
// The package says "module"; below this folder that is not so.
await writeFile(join(root, "dist/cjs/package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
