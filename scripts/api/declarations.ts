/**
 * Reads declaration files: what they declare, import and export, and which names a declaration mentions.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { parseAst } from "rolldown/parseAst";

/** A node of the syntax tree. Its other properties depend on its type. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  // biome-ignore lint/suspicious/noExplicitAny: there are about a hundred types of nodes.
  readonly [property: string]: any;
}

/** A name of another module. `*` stands for the whole module. */
export interface Link {
  readonly from: string;
  readonly name: string;
  readonly typeOnly: boolean;
}

/** One declaration. Overloads are several. */
export interface Declaration {
  readonly path: string;
  readonly name: string;
  /** Whether it declares only a type, not a value. */
  readonly typeOnly: boolean;
  /** The source text without `export`, private members and comments. Keeps the tags `@deprecated` and `@experimental`. */
  readonly text: string;
  /** The types and values in it: names in the same file, or links for `import("…")` types. */
  readonly mentions: readonly (string | Link)[];
}

export interface DeclarationFile {
  readonly declared: ReadonlyMap<string, readonly Declaration[]>;
  readonly exported: ReadonlySet<string>;
  /** Imports by local name, and `export { … } from` by exported name. */
  readonly links: ReadonlyMap<string, Link>;
  /** The modules of `export * from`. */
  readonly stars: readonly string[];
}

export function readDeclarations(path: string): DeclarationFile {
  const text = readFileSync(path, "utf8");
  const declared = new Map<string, Declaration[]>();
  const exported = new Set<string>();
  const links = new Map<string, Link>();
  const stars: string[] = [];
  let end = 0;
  for (const statement of (parseAst(text, { lang: "dts" }) as unknown as Node).body as Node[]) {
    // The text of a statement begins with its comment.
    const start = end;
    end = statement.end;
    const isExport = statement.type.startsWith("Export");
    if (statement.type === "ExportAllDeclaration") stars.push(statement.source.value);
    for (const { type, local, imported, exported: as, importKind, exportKind } of statement.specifiers ?? []) {
      const known: string = (as ?? local).name;
      if (isExport) exported.add(known);
      const whole = { ImportNamespaceSpecifier: "*", ImportDefaultSpecifier: "default" }[type as string];
      const name: string = whole ?? (imported ?? local).name;
      const typeOnly = [statement.importKind, statement.exportKind, importKind, exportKind].includes("type");
      if (statement.source) links.set(known, { from: statement.source.value, name, typeOnly });
    }
    const node: Node | undefined = isExport ? statement.declaration : statement;
    const name: string | undefined = (node?.id ?? node?.declarations?.[0].id)?.name;
    if (!node || name === undefined) continue;
    if (isExport) exported.add(name);
    const typeOnly = /^TS(TypeAlias|Interface)Declaration$/.test(node.type);
    const declaration = { path, name, typeOnly, text: publicText(text, node, start), mentions: mentionsIn(node) };
    declared.set(name, [...(declared.get(name) ?? []), declaration]);
  }
  return { declared, exported, links, stars };
}

/** Nodes that mention a type or value, and the property that names it. */
const mentioning: Readonly<Record<string, string>> = {
  TSTypeReference: "typeName",
  TSTypeQuery: "exprName",
  TSInterfaceHeritage: "expression",
  TSClassImplements: "expression",
  ClassDeclaration: "superClass",
};

function mentionsIn(node: unknown): (string | Link)[] {
  if (Array.isArray(node)) return node.flatMap(mentionsIn);
  if (typeof node !== "object" || node === null || !("type" in node) || isPrivate(node as Node)) return [];
  const { type, source, qualifier, key, computed, ...others } = node as Node;
  const named = others[mentioning[type] ?? ""] ?? (computed ? key : undefined);
  return [
    ...(named ? [firstName(named)] : []),
    ...(type === "TSImportType" ? [{ from: source.value, name: firstName(qualifier), typeOnly: true }] : []),
    ...Object.values(others).flatMap(mentionsIn),
  ];
}

/** Returns `a` for `a.b.c`. */
function firstName({ name, left, object }: Node): string {
  return name ?? firstName(left ?? object);
}

/** Whether a member of a class is private. A private constructor is not: without it, the class would look constructible. */
function isPrivate({ key, accessibility, kind }: Node): boolean {
  return key?.type === "PrivateIdentifier" || (accessibility === "private" && kind !== "constructor");
}

function publicText(text: string, node: Node, start: number): string {
  const members = Array.isArray(node.body?.body) ? (node.body.body as Node[]) : [];
  const cuts = [...members.filter(isPrivate), { start: node.end, end: node.end }];
  const kept = cuts.map((cut, index) => text.slice(cuts[index - 1]?.end ?? start, cut.start)).join("");
  return kept
    .replace(/\s*\/\*\*.*?\*\/\s*/gs, (comment) => {
      const tags = comment.match(/@(?:deprecated|experimental)\b/g);
      return tags ? `\n/** ${tags.join(" ")} */\n` : "\n";
    })
    .replace(/^export (?:declare )?|^declare /m, (words) => (words.includes("declare") ? "declare " : ""))
    .replace(/\n\s*\n/g, "\n")
    .trim();
}
