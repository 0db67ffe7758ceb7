/**
 * Which files loading the package loads.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { inRoot } from "../support/build.js";
import { filesOf, type Subject } from "./subjects.js";

/** What sessions, archives and configuration files need, and nothing else. */
const late = ["ws", "tar", "yaml"];

/** Tells it of our own. What should have waited until it is needed is a warning. */
export async function loadedBy(subjects: readonly Subject[]): Promise<{ facts: string; warnings: string[] }> {
  const facts: string[] = [];
  const warnings: string[] = [];
  for (const subject of subjects.filter(({ role }) => role === "ours")) {
    const { own, packages } = sort(await filesOf(subject));
    const counts = [...packages].map(([name, count]) => `${count} of ${name}`);
    const folder = inRoot(`dist/${subject.how === "import" ? "esm" : "cjs"}/src/chunks`);
    const chunks = (await readdir(folder)).filter((file) => file.endsWith(".js"));
    const waiting = chunks.filter((file) => !own.includes(`chunks/${file}`));
    const early = late.filter((name) => packages.has(name));
    facts.push(
      `\`${subject.how}\` loads ${own.length} files of its own (${own.join(", ")}), and ${counts.join(", ")}` +
        `. ${waiting.join(", ")} wait until they are needed${early.length === 0 ? `, and so do ${late.join(", ")}: no file of them is loaded` : ""}.`,
    );
    if (early.length > 0) warnings.push(`${subject.name} loads ${early.join(", ")}, which should wait for its use.`);
  }
  return { facts: facts.join("\n\n"), warnings };
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
