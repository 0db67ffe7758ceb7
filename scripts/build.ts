/**
 * Builds dist/. The compiler checks the sources and writes JavaScript and declarations. A bundler combines the JavaScript into a
 * few files, once as ES modules and once as CommonJS, because loading hundreds of small modules takes longer than loading gRPC.
 *
 *     npm run build
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

/** Returns the compiled entry points of the package by name. The command is an ES module only. */
function entriesIn(folder: string, format: (typeof formats)[number]): Record<string, string> {
  const paths = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [] : entry.import.default,
  );
  if (format === "esm") paths.push(...Object.values(manifest.bin));
  return Object.fromEntries(
    paths.map((path) => {
      const name = path.replace(/^(\.\/)?dist\/esm\//, "");
      return [name.replace(/\.js$/, ""), join(folder, name)];
    }),
  );
}

/**
 * Removes the maps of the generated code. They would need more space than everything else, and its declarations are easier to read
 * than its source, which is not in the package.
 */
async function dropGeneratedMaps(compiled: string): Promise<void> {
  const folder = join(compiled, "generated");
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    if (name.endsWith(".map")) await rm(path);
    if (!/\.(d\.ts|js)$/.test(name)) continue;
    await writeFile(path, (await readFile(path, "utf8")).replace(/\/\/# sourceMappingURL=.*\s*$/, ""));
  }
}

/** Reads a compiled file with its map, so that the maps of the bundles refer to the sources. */
async function loadWithMap(path: string): Promise<{ code: string; map: string | { mappings: "" } }> {
  const map = `${path}.map`;
  return { code: await readFile(path, "utf8"), map: existsSync(map) ? await readFile(map, "utf8") : { mappings: "" } };
}

// This folder is as deep in the project as dist/esm, so that the relative paths from compiled files to their sources stay valid.
await mkdir(join(root, ".cache"), { recursive: true });
const compiled = await mkdtemp(join(root, ".cache/build-"));
try {
  await compile(compiled);
  await dropGeneratedMaps(compiled);
  await rm(join(root, "dist"), { recursive: true, force: true });
  for (const format of formats) {
    const bundle = await rolldown({
      input: entriesIn(compiled, format),
      cwd: compiled,
      platform: "node",
      // Dependencies are not bundled.
      external: /^(?!\.|\/|\w:)/,
      plugins: [{ name: "source-maps", load: loadWithMap }],
    });
    const folder = join(root, "dist", format);
    // Comments are in the declarations. In JavaScript they would only slow down loading.
    await bundle.write({
      dir: folder,
      format,
      chunkFileNames: "src/chunks/[name].js",
      comments: false,
      sourcemap: true,
      // Maps refer to the sources in the package, which both formats share.
      sourcemapExcludeSources: true,
    });
    // The command exports nothing, so it needs no declarations.
    const isDeclaration = (path: string) => !/\.js(\.map)?$|\/src\/cli$/.test(path);
    await cp(compiled, folder, { recursive: true, filter: isDeclaration });
    await bundle.close();
  }
  // Overrides "type": "module" of the package.
  await writeFile(join(root, "dist/cjs/package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(compiled, { recursive: true, force: true });
}
