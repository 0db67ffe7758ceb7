import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A fenced code block of a page or of a docstring. */
export interface Block {
  /** The file, relative to the root of the repository. */
  readonly file: string;
  /** The line of the opening fence. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** A block of TypeScript in a page. `testing-3` is the third of docs/testing.md, `recipes-ci-job-1` the first of that recipe. */
export interface Example extends Block {
  readonly name: string;
  /** The `text` block that follows as the next block. */
  readonly output: string | undefined;
}

/** The README and all guides, relative to the root of the repository. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .sort(),
];

/** All pages with code: also those that are no guides. */
export const documents: readonly string[] = [...pages, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/** Returns the blocks of a text whose lines begin with `prefix`: none in a page, ` * ` in a docstring. */
function blocksIn(file: string, prefix: RegExp): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [index, raw] of readFileSync(join(root, file), "utf8").split("\n").entries()) {
    const line = raw.replace(prefix, "");
    const fence = prefix.test(raw) ? /^```(\S*)$/.exec(line) : undefined;
    if (open === undefined) {
      if (fence) open = { line: index + 1, language: fence[1] ?? "", lines: [] };
    } else if (fence) {
      const { lines, ...rest } = open;
      blocks.push({ file, ...rest, code: lines.map((text) => `${text}\n`).join("") });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block does not end`);
  return blocks;
}

/** Returns all blocks of the documents, or those in one language. */
export function pageBlocks(wanted?: string): Block[] {
  const blocks = documents.flatMap((file) => blocksIn(file, /^/));
  return wanted === undefined ? blocks : blocks.filter(({ language }) => language === wanted);
}

/** The TypeScript of all pages, each with its output. */
export function pageExamples(): Example[] {
  return pages.flatMap((file) => {
    const blocks = blocksIn(file, /^/);
    const page = file.replace(/^docs\/|\.md$/g, "").replaceAll("/", "-");
    const examples = blocks.filter(({ language }) => language === "ts");
    return examples.map((block, index) => {
      const next = blocks[blocks.indexOf(block) + 1];
      return { ...block, name: `${page}-${index + 1}`, output: next?.language === "text" ? next.code : undefined };
    });
  });
}

/** Returns all blocks in the docstrings of the sources. */
export function docstringBlocks(): Block[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap((name) => blocksIn(`src/${name.replaceAll("\\", "/")}`, /^\s*\* ?/));
}
