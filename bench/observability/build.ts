import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { compile, inRoot, output } from "../support/build.js";

/** A client without the layers that publish calls and attempts. All else is the same. */
const withoutTracing: Plugin = {
  name: "without-tracing",
  setup({ onLoad }) {
    onLoad({ filter: /src[\\/]transport[\\/]tracing\.ts$/ }, () => ({
      contents: "export const callTracing = (_, next) => next; export const attemptTracing = callTracing;",
      loader: "js",
    }));
  },
};

/** Builds the measured program from the sources, and returns its path. */
export async function buildTask({ tracing }: { tracing: boolean }): Promise<string> {
  await mkdir(output, { recursive: true });
  const outfile = join(output, tracing ? "observability.js" : "observability-without.js");
  // The client itself is bundled: tsconfig.json resolves it to the sources.
  const { metafile } = await compile({
    entryPoints: [inRoot("bench/observability/task.ts")],
    outfile,
    plugins: tracing ? [] : [withoutTracing],
    metafile: true,
  });
  if (!("src/transport/tracing.ts" in (metafile?.inputs ?? {})))
    throw new Error("the layers that publish calls have moved");
  return outfile;
}
