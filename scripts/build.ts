/**
 * Builds dist/. The compiler checks the sources and writes JavaScript and declarations. A bundler combines the JavaScript into a
 * few CommonJS files, because loading hundreds of small modules takes longer than loading gRPC. For `import`, each entry point has
 * an ES module that exports the same objects: a program that uses both `import` and `require` has one copy of everything.
 *
 *     npm run build
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import manifest from "../package.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** The entry points of the package, as paths in dist/ without extension. */
const entries = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === "string" ? [] : entry.require.default.replace(/^\.\/dist\/|\.js$/g, ""),
);
/** The commands of the package. They export nothing. */
const commands = Object.values(manifest.bin).map((path) => path.replace(/^dist\/|\.js$/g, ""));

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

/** Combines the compiled JavaScript into dist/. */
async function bundle(compiled: string): Promise<void> {
  const bundler = await rolldown({
    input: Object.fromEntries([...entries, ...commands].map((path) => [path, join(compiled, `${path}.js`)])),
    cwd: compiled,
    platform: "node",
    // Dependencies are not bundled.
    external: /^(?!\.|\/|\w:)/,
  });
  // Comments are in the declarations. In JavaScript they would only slow down loading.
  const { output } = await bundler.generate({
    format: "cjs",
    chunkFileNames: "src/chunks/[name].js",
    comments: false,
  });
  await bundler.close();
  for (const file of output) {
    if (file.type !== "chunk") throw new Error(`unexpected output: ${file.fileName}`);
    const path = join(dist, file.fileName);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.code.replace(/[^\0-\xff]/g, escaped));
  }
  // Overrides "type": "module" of the package.
  await writeFile(join(dist, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
}

/** Escapes a character. With one beyond Latin-1, V8 keeps the whole file in memory with two bytes per character. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Returns a declaration file and all that it imports, directly and indirectly. */
async function declarationsFrom(path: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, target = ""] of (await readFile(path, "utf8")).matchAll(/(?:from |import\(?)"(\.[^"]+)\.js"/g)) {
    await declarationsFrom(join(dirname(path), `${target}.d.ts`), found);
  }
  return found;
}

/**
 * The end of the ES module of `src/proto`. `import Long from "long"` and `require("long")` return two classes. The messages have
 * the second, whose `toJSON` src/proto.ts adds.
 */
const longOfModules = `
import Long from "long";
import { Long as LongOfMessages } from "./proto.js";
if (!("toJSON" in Long.prototype)) {
\tObject.defineProperty(Long.prototype, "toJSON", Object.getOwnPropertyDescriptor(LongOfMessages.prototype, "toJSON"));
}
`;

/** Writes an ES module that exports what the CommonJS file beside it exports, and its declarations. */
async function writeModule(entry: string): Promise<void> {
  const path = join(dist, entry);
  const names = Object.keys(createRequire(path)(`${path}.js`) as object);
  const file = JSON.stringify(`./${entry.replace(/^.*\//, "")}.js`);
  // Names, because not every bundler knows what `export *` of CommonJS contains.
  let code = `export {\n${names.map((name) => `\t${name},\n`).join("")}} from ${file};\n`;
  if (entry === "src/proto") code += longOfModules;
  if (entry === "src/index") code += 'import "./proto.mjs";\n';
  await writeFile(`${path}.mjs`, code);
  await writeFile(`${path}.d.mts`, `export * from ${file};\n`);
}

await mkdir(join(root, ".cache"), { recursive: true });
const compiled = await mkdtemp(join(root, ".cache/build-"));
try {
  await compile(compiled);
  await rm(dist, { recursive: true, force: true });
  await bundle(compiled);
  const declarations = new Set<string>();
  for (const entry of entries) {
    await declarationsFrom(join(compiled, `${entry}.d.ts`), declarations);
    await writeModule(entry);
  }
  for (const path of declarations) await cp(path, join(dist, relative(compiled, path)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(compiled, { recursive: true, force: true });
}
