/**
 * What the measured processes run: plain JavaScript, so that nothing of tsx is in what is measured. It goes to `.cache/bench`,
 * from where `k8s-cri-client` leads to `dist/`.
 *
 * @module
 */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { bufOrThrow, projectRoot } from "../../scripts/lib/buf.js";
import { run } from "../../test/runtime/lab/command.js";

const output = join(projectRoot, ".cache", "bench");
const inRoot = (path: string) => join(projectRoot, path);

export const proto = inRoot("proto/runtime/v1/api.proto");

/** Files that {@link buildPrograms} makes. */
export const programs = { worker: join(output, "worker.js"), nodeServer: join(output, "node-server.js") };

/** Modules that {@link buildPrograms} makes, as they are imported. */
export const generated = {
  protobufjs: pathToFileURL(join(output, "protobufjs.js")).href,
  protobufEs: pathToFileURL(join(output, "runtime/v1/api_pb.js")).href,
};

export async function buildPrograms(): Promise<void> {
  await mkdir(output, { recursive: true });
  if (await isStale()) await node(["--import", "tsx", inRoot("scripts/build.ts")]);
  await node([
    inRoot("node_modules/protobufjs-cli/bin/pbjs"),
    ...["--target", "static-module", "--wrap", "es6", "--no-comments", "--path", inRoot("proto")],
    ...["--out", join(output, "protobufjs.js"), proto],
  ]);
  const plugin = ["node", inRoot("node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es")];
  const template = { version: "v2", plugins: [{ local: plugin, out: ".", opt: ["target=js"] }] };
  bufOrThrow("generate", "--template", JSON.stringify(template), "--output", output);
  await build({
    absWorkingDir: projectRoot,
    entryPoints: [inRoot("bench/calls/peers/worker.ts"), inRoot("bench/calls/node-server.ts")],
    entryNames: "[name]",
    outdir: output,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "node20",
    platform: "node",
    packages: "external",
    // Without the paths of tsconfig.json, which lead to the sources.
    tsconfigRaw: {},
    logLevel: "error",
  });
}

/** Whether `dist/` is missing, or older than a source. */
async function isStale(): Promise<boolean> {
  const built = await stat(inRoot("dist/esm/src/index.js")).catch(() => undefined);
  if (!built) return true;
  for (const folder of ["src", "generated"]) {
    for (const name of await readdir(inRoot(folder), { recursive: true })) {
      if (name.endsWith(".ts") && (await stat(join(inRoot(folder), name))).mtimeMs > built.mtimeMs) return true;
    }
  }
  return false;
}

const node = (args: string[]) => run(process.execPath, args, { cwd: projectRoot, timeoutMs: 600_000 });
