/**
 * Describes the public types of the package: for each entry point its exports, and the declarations of everything that they
 * mention, exported or not. The alphabetical order keeps the diff of a changed type short.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { type Declaration, type DeclarationFile, type Link, readDeclarations } from "./declarations.js";

/** What a name means: declarations of this package, or an import from another package or an opaque entry point. */
type Meaning = { readonly declarations: readonly Declaration[]; readonly typeOnly: boolean } | { readonly link: Link };

/**
 * Returns the report of each entry point. If several entry points need a declaration, only the first report contains it.
 *
 * @param entries the declaration file of each entry point by its name: `k8s-cri-client/testing`
 * @param opaque entry points whose reports list only the names of exports. The other reports import these names
 */
export function apiReports(
  entries: Readonly<Record<string, string>>,
  opaque: readonly string[] = [],
): Record<string, string> {
  const files = new Map<string, DeclarationFile>();
  const owners = new Map<Declaration, string>();

  function read(path: string): DeclarationFile {
    const file = files.get(path) ?? readDeclarations(path);
    files.set(path, file);
    return file;
  }

  function exportsOf(path: string): string[] {
    const { exported, stars } = read(path);
    return [...exported, ...stars.flatMap((from) => exportsOf(target(path, from)))];
  }

  /** Follows imports and re-exports. Returns undefined for globals and type parameters. */
  function meaning(path: string, name: string): Meaning | undefined {
    const { declared, links, stars } = read(path);
    const declarations = declared.get(name);
    if (declarations) return { declarations, typeOnly: declarations.every(({ typeOnly }) => typeOnly) };
    const link = links.get(name);
    if (link) return linked(path, link);
    return stars.map((from) => meaning(target(path, from), name)).find((found) => found !== undefined);
  }

  function linked(path: string, link: Link): Meaning | undefined {
    if (!link.from.startsWith(".")) return { link };
    const file = target(path, link.from);
    const entry = opaque.find((name) => entries[name] === file);
    if (entry !== undefined) return { link: { ...link, from: entry } };
    const found = meaning(file, link.name);
    return found && "declarations" in found ? { ...found, typeOnly: found.typeOnly || link.typeOnly } : found;
  }

  function report(entry: string, path: string): string {
    const exported: string[] = [];
    const declared: (Declaration & { imports: Map<string, Link> })[] = [];

    function add(declaration: Declaration): void {
      if (owners.has(declaration)) return;
      owners.set(declaration, entry);
      const imports = new Map<string, Link>();
      declared.push({ ...declaration, imports });
      for (const mention of declaration.mentions) {
        const isName = typeof mention === "string";
        const found = isName ? meaning(declaration.path, mention) : linked(declaration.path, mention);
        if (found && "declarations" in found) found.declarations.forEach(add);
        else if (found && isName) imports.set(mention, found.link);
      }
    }

    for (const name of exportsOf(path)) {
      const found = meaning(path, name);
      if (found === undefined) throw new Error(`${entry} exports ${name}, but no file declares it`);
      if ("link" in found) {
        exported.push(exportLine(name, found.link.name, found.link.typeOnly, found.link.from));
        continue;
      }
      if (!opaque.includes(entry)) found.declarations.forEach(add);
      const [first] = found.declarations;
      const owner = first && owners.get(first);
      const from = owner === entry ? undefined : owner;
      exported.push(exportLine(name, first?.name ?? name, found.typeOnly, from));
    }
    declared.sort((a, b) => compare(a.name, b.name) || compare(a.path, b.path));
    const names = new Set(declared.map(({ name }) => name));
    const imported = new Set<string>();
    const rendered = declared.map(({ text, imports }) => {
      const lines = [...imports].map(([local, link]) => ({ local, line: importLine(local, link) }));
      // If the report declares the same name as an import, the import is written as a comment on the declaration that uses it.
      const own = lines.filter(({ local }) => names.has(local));
      for (const { local, line } of lines) if (!names.has(local)) imported.add(line);
      return [...own.map(({ line }) => `// ${line}`), text].join("\n");
    });
    return [sortedLines(exported), sortedLines([...imported]), ...rendered].filter((part) => part !== "").join("\n\n");
  }

  return Object.fromEntries(Object.entries(entries).map(([entry, path]) => [entry, report(entry, path)]));
}

function target(path: string, from: string): string {
  return resolve(dirname(path), from.replace(/\.js$/, ".d.ts"));
}

function exportLine(name: string, source: string, typeOnly: boolean, from: string | undefined): string {
  const specifier = source === name ? name : `${source} as ${name}`;
  return `export ${typeOnly ? "type " : ""}{ ${specifier} }${from === undefined ? "" : ` from "${from}"`};`;
}

function importLine(local: string, { name, from }: Link): string {
  const specifiers: Record<string, string> = { "*": `* as ${local}`, default: local, [local]: `{ ${local} }` };
  return `import type ${specifiers[name] ?? `{ ${name} as ${local} }`} from "${from}";`;
}

/** Sorts imports or exports by name. */
function sortedLines(lines: readonly string[]): string {
  const key = (line: string) => line.replace(/^(?:import|export) (?:type )?(?:\{ )?/, "");
  return [...lines].sort((a, b) => compare(key(a), key(b))).join("\n");
}

/** Compares by character codes, so that the order is the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
