import { mayImport, type Part, parts } from "./layers.js";

/** The file that `biome.json` extends. */
export const lintRuleFile = "biome.layers.json";

/** The content of {@link lintRuleFile}: for each part, the imports that the layers forbid. */
export function lintRule(): string {
  const overrides = parts.filter((part) => part !== "generated/").map(overrideFor);
  return `${JSON.stringify({ overrides }, undefined, 2)}\n`;
}

function overrideFor(from: Part) {
  const forbidden = parts.filter((to) => !mayImport(from, to));
  const patterns = [
    {
      // A pattern matches at any depth, so files in folders must not take the name of a forbidden file of src/.
      group: forbidden.map((to) => (isFolder(to) ? `**/${to}**` : `**/${to.replace(/\.ts$/, ".js")}`)),
      message: `src/${from} may import only from the layers below it: see scripts/layers/layers.ts.`,
    },
  ];
  return {
    includes: [`src/${from}${isFolder(from) ? "**" : ""}`],
    linter: { rules: { style: { noRestrictedImports: { level: "error", options: { patterns } } } } },
  };
}

function isFolder(part: Part): boolean {
  return part.endsWith("/");
}
