/**
 * What the measured processes run: plain JavaScript, so that nothing of tsx is in what is measured. It goes to `.cache/bench`,
 * from where `k8s-cri-client` leads to `dist/`.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { projectRoot } from "../../scripts/lib/buf.js";
import { buildDist, generateProtobufEs, inRoot, node, output, proto, protobufEs } from "../support/build.js";

/** Files that {@link buildPrograms} makes. */
export const programs = { worker: join(output, "worker.js"), nodeServer: join(output, "node-server.js") };

/** Modules that {@link buildPrograms} makes, as they are imported. */
export const generated = { protobufjs: pathToFileURL(join(output, "protobufjs.js")).href, protobufEs };

export async function buildPrograms(): Promise<void> {
  await mkdir(output, { recursive: true });
  await buildDist();
  await node([
    inRoot("node_modules/protobufjs-cli/bin/pbjs"),
    ...["--target", "static-module", "--wrap", "es6", "--no-comments", "--path", inRoot("proto")],
    ...["--out", join(output, "protobufjs.js"), proto],
  ]);
  generateProtobufEs();
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
