/**
 * Which files loading the package loads.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { inRoot } from "../support/build.js";
import { filesOf, type Subject } from "./subjects.js";

/** What sessions and configuration files need, and nothing else. */
const late = ["ws", "yaml"];

/** Tells it of our own. What should have waited until it is needed is a warning. */
export async function loadedBy(subjects: readonly Subject[]): Promise<{ facts: string; warnings: string[] }> {
  const facts = new Map<string, string[]>();
  const warnings: string[] = [];
  for (const subject of subjects.filter(({ role }) => role === "ours")) {
    const { own, packages } = sort(await filesOf(subject));
    const early = late.filter((name) => packages.has(name));
    if (early.length > 0) warnings.push(`${subject.name} loads ${early.join(", ")}, which should wait for its use.`);
    const counts = [...packages].map(([name, count]) => `${count} of ${name}`);
    const later = [...(await chunksOf(subject)).filter((chunk) => !own.includes(chunk)), ...late];
    const waiting = later.filter((name) => !early.includes(name));
    const fact =
      `${own.length} files of its own (${own.join(", ")}), and ${counts.join(", ")}. ` +
      `No file is loaded of what waits until it is needed: ${waiting.join(", ")}.`;
    facts.set(fact, [...(facts.get(fact) ?? []), `\`${subject.how}\``]);
  }
  const told = [...facts].map(([fact, how]) => `With ${how.join(" and ")} the package loads ${fact}`);
  return { facts: told.join("\n\n"), warnings };
}

/** What `dist/` is split into besides its entries. */
async function chunksOf({ how }: Subject): Promise<string[]> {
  const files = await readdir(inRoot(`dist/${how === "import" ? "esm" : "cjs"}/src/chunks`));
  return files.filter((file) => file.endsWith(".js")).map((file) => `chunks/${file}`);
}

/** Files by the package that they belong to; those of our own by name, below `dist/`. */
export function sort(files: readonly string[]): { own: string[]; packages: Map<string, number> } {
  const own: string[] = [];
  const packages = new Map<string, number>();
  for (const file of files) {
    const name = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
    if (name !== undefined) packages.set(name, (packages.get(name) ?? 0) + 1);
    else if (file.includes("/dist/")) own.push(file.replace(/^.*\/dist\/\w+\/src\//, ""));
  }
  return { own: own.sort(), packages: new Map([...packages].sort()) };
}
