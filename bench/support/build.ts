/**
 * Builds the JavaScript that benchmarks run: the published package, and generated code for other libraries.
 *
 * @module
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, type BuildResult, build } from "esbuild";
import { bufOrThrow, projectRoot } from "../../scripts/lib/buf.js";
import { run } from "../../test/runtime/lab/command.js";

/** The folder for everything except `dist/`. In it, `k8s-cri-client` resolves to `dist/`. */
export const output = join(projectRoot, ".cache", "bench");

export const inRoot = (path: string) => join(projectRoot, path);

/** Runs a JavaScript program and waits for its end. */
export const node = (args: string[]) => run(process.execPath, args, { cwd: projectRoot, timeoutMs: 600_000 });

export const proto = inRoot("proto/runtime/v1/api.proto");

/** The URL of the module that {@link generateProtobufEs} writes. */
export const protobufEs = pathToFileURL(join(output, "runtime/v1/api_pb.js")).href;

/** Builds `dist/` if it is missing or older than a source file. */
export async function buildDist(): Promise<void> {
  if (await isStale()) await node(["--import", "tsx", inRoot("scripts/build.ts")]);
}

/** Compiles programs to plain JavaScript, so that tsx is not part of a measurement. Their packages stay outside. */
export function compile(options: BuildOptions): Promise<BuildResult> {
  return build({
    absWorkingDir: projectRoot,
    bundle: true,
    format: "esm",
    target: "node20",
    platform: "node",
    packages: "external",
    logLevel: "error",
    ...options,
  });
}

/** Options of {@link compile} for programs that use `dist/`: they ignore the paths of tsconfig.json, which resolve to the sources. */
export const withDist: BuildOptions = { tsconfigRaw: {} };

/** Compiles a program that uses `dist/`, and returns its path in {@link output}. */
export async function compileProgram(source: string, name: string): Promise<string> {
  await buildDist();
  const outfile = join(output, name);
  await compile({ ...withDist, entryPoints: [inRoot(source)], outfile });
  return outfile;
}

/** Generates the code of protobuf-es for the schema. */
export function generateProtobufEs(): void {
  const plugin = ["node", inRoot("node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es")];
  const template = { version: "v2", plugins: [{ local: plugin, out: ".", opt: ["target=js"] }] };
  bufOrThrow("generate", "--template", JSON.stringify(template), "--output", output);
}

async function isStale(): Promise<boolean> {
  const built = await stat(inRoot("dist/src/index.mjs")).catch(() => undefined);
  if (!built) return true;
  for (const folder of ["src", "generated"]) {
    for (const name of await readdir(inRoot(folder), { recursive: true })) {
      if (name.endsWith(".ts") && (await stat(join(inRoot(folder), name))).mtimeMs > built.mtimeMs) return true;
    }
  }
  return false;
}
