import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Import {
  /** Path of the importing file, from the root. */
  from: string;
  /** Path of the imported file, or the name of a package. */
  to: string;
  kind: "value" | "type" | "dynamic";
}

/** Lists the imports of all TypeScript files below a folder. */
export function importsBelow(folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
    .flatMap((name) => importsOf(`${folder}/${name.split(sep).join("/")}`));
}

/** Lists the imports of a file, by its path from the root. */
export function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), "utf8");
  const found: Import[] = [];
  const add = (specifier = "", kind: Import["kind"]) => found.push({ from: file, to: resolve(file, specifier), kind });
  for (const [, type, specifier] of source.matchAll(
    /^(?:import|export)\s+(type\s)?[\w\s{},*$]*?\bfrom\s+"([^"]+)"/gm,
  )) {
    add(specifier, type ? "type" : "value");
  }
  for (const [, specifier] of source.matchAll(/^import\s+"([^"]+)"/gm)) add(specifier, "value");
  for (const [, specifier] of source.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) add(specifier, "dynamic");
  return found;
}

function resolve(file: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const path = normalize(join(dirname(file), specifier));
  return path.split(sep).join("/").replace(/\.js$/, ".ts");
}

/**
 * Finds the circular imports: the largest sets of files in which every file imports every other one, directly or through others.
 * Each set is sorted, and sets of one file are omitted. Uses Tarjan's algorithm.
 */
export function circularImports(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  /** Returns the earliest open file that `file` reaches, as its place in the order. */
  const visit = (file: string): number => {
    const place = order.size;
    order.set(file, place);
    open.push(file);
    let earliest = place;
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) earliest = Math.min(earliest, visit(to));
      else if (open.includes(to)) earliest = Math.min(earliest, order.get(to) as number);
    }
    if (earliest === place) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return earliest;
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return circles;
}
