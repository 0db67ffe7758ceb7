/**
 * Builds dist/. The compiler checks the sources and writes JavaScript and declarations. A bundler combines the JavaScript into a few
 * files, once as ES modules and once as CommonJS, because loading hundreds of small modules would take longer than loading gRPC.
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

/** Compiles the sources into a folder. */
async function compile(folder: string): Promise<void> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const compiler = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", folder], {
    cwd: root,
    stdio: "inherit",
  });
  const [code] = await once(compiler, "exit");
  if (code !== 0) throw new Error("tsc failed");
}

/** Returns the compiled entry points of the package by name. */
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
    // Dependencies are not bundled.
    external: /^(?!\.|\/|\w:)/,
  });
  for (const format of formats) {
    const folder = join(root, "dist", format);
    // Comments are in the declarations. In JavaScript they would only slow down loading.
    await bundle.write({ dir: folder, format, chunkFileNames: "src/chunks/[name].js", comments: false });
    await cp(compiled, folder, { recursive: true, filter: (path) => !basename(path).endsWith(".js") });
  }
  await bundle.close();
  // Overrides "type": "module" of the package.
  await writeFile(join(root, "dist/cjs/package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(compiled, { recursive: true, force: true });
}
