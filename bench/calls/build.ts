/**
 * Builds the programs of the measured processes as plain JavaScript, so that tsx is not part of the measurement. Writes them to
 * `.cache/bench`, where `k8s-cri-client` resolves to `dist/`.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  buildDist,
  compile,
  generateProtobufEs,
  inRoot,
  node,
  output,
  proto,
  protobufEs,
  withDist,
} from "../support/build.js";

/** Files that {@link buildPrograms} writes. */
export const programs = { worker: join(output, "worker.js"), nodeServer: join(output, "node-server.js") };

/** URLs of modules that {@link buildPrograms} writes. */
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
  await compile({
    ...withDist,
    entryPoints: [inRoot("bench/calls/peers/worker.ts"), inRoot("bench/calls/node-server.ts")],
    entryNames: "[name]",
    outdir: output,
    splitting: true,
  });
}
