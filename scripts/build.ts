/**
 * Builds dist/: the compiler checks and writes declarations, and what it makes of the sources becomes a few files for each format,
 * once as ECMAScript modules and once as CommonJS. A hundred and fifty small modules would take longer to load than all of gRPC.
 *
 *     npm run build
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import manifest from "../package.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const formats = ["esm", "cjs"] as const;

/** Compiles into a folder. */
async function compile(folder: string): Promise<void> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const compiler = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", folder], {
    cwd: root,
    stdio: "inherit",
  });
  const [code] = await once(compiler, "exit");
  if (code !== 0) throw new Error("tsc failed.");
}

/** The entry points of the package among the compiled files, by their names there. */
function entriesIn(folder: string): Record<string, string> {
  const paths = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [] : entry.import.default,
  );
  return Object.fromEntries(
    paths.map((path) => {
      const name = path.replace("./dist/esm/", "");
      return [name.replace(/\.js$/, ""), join(folder, name)];
    }),
  );
}

const compiled = await mkdtemp(join(tmpdir(), "cri-build-"));
try {
  await compile(compiled);
  await rm(join(root, "dist"), { recursive: true, force: true });
  const bundle = await rolldown({
    input: entriesIn(compiled),
    cwd: compiled,
    platform: "node",
    // Dependencies stay what they are.
    external: /^(?!\.|\/|\w:)/,
  });
  for (const format of formats) {
    const folder = join(root, "dist", format);
    // The declarations have the comments: in what runs they would only take time to load.
    await bundle.write({ dir: folder, format, chunkFileNames: "src/chunks/[name].js", comments: false });
    await cp(compiled, folder, { recursive: true, filter: (path) => !basename(path).endsWith(".js") });
  }
  await bundle.close();
  // The package says "module"; below this folder that is not so.
  await writeFile(join(root, "dist/cjs/package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(compiled, { recursive: true, force: true });
}
