/**
 * The layers of the sources. The lint rule in `biome.layers.json`, the drawing in CONTRIBUTING.md and `test/package/layers.test.ts`
 * all follow this list.
 *
 * @module
 */

/** From top to bottom. A part imports only from the lines below its own; parts on one line never import each other. */
export const layers = [
  ["cli/"],
  ["index.ts", "testing/", "kubernetes/"],
  ["diagnosis/"],
  ["client.ts", "prometheus/", "otel/", "crictl/"],
  ["resources/"],
  ["rpcs/", "credentials/"],
  ["transport/", "streaming/", "specs/", "logs/"],
  ["json/", "input/", "tracing/"],
  ["errors.ts", "options.ts"],
  ["internal/"],
  ["proto.ts", "decoders.ts"],
  ["generated/"],
] as const;

/** A file of `src/`, a folder of `src/`, or `generated/`. */
export type Part = (typeof layers)[number][number];

export const parts: readonly Part[] = layers.flat();

/** The only parts that import generated code. */
export const generatedCodeImporters: readonly Part[] = ["proto.ts", "decoders.ts"];

/** Whether the layers allow one part to import another. */
export function mayImport(from: Part, to: Part): boolean {
  if (from === to) return true;
  if (to === "generated/") return generatedCodeImporters.includes(from);
  return lineOf(to) > lineOf(from);
}

function lineOf(part: Part): number {
  return layers.findIndex((line) => (line as readonly Part[]).includes(part));
}

/** The layers as CONTRIBUTING.md shows them. */
export function drawLayers(): string {
  return layers.map((line) => line.join("  ")).join("\n");
}
