/**
 * Finds the files that are loaded with the package.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { inRoot } from "../support/build.js";
import { filesOf, type Subject } from "./subjects.js";

/** Packages that only sessions and configuration files need. */
const lazyPackages = ["ws", "yaml"];

/** Describes the files that are loaded with this package. Warns of files that should be loaded later, when they are needed. */
export async function loadedBy(subjects: readonly Subject[]): Promise<{ facts: string; warnings: string[] }> {
  const facts = new Map<string, string[]>();
  const warnings: string[] = [];
  for (const subject of subjects.filter(({ role }) => role === "ours")) {
    const { own, packages } = sort(await filesOf(subject));
    const eagerPackages = lazyPackages.filter((name) => packages.has(name));
    if (eagerPackages.length > 0)
      warnings.push(`${subject.name} loads ${eagerPackages.join(", ")}, which should be loaded on first use.`);
    const counts = [...packages].map(([name, count]) => `${count} of ${name}`);
    const later = (await chunksOfPackage()).filter((chunk) => !own.includes(chunk)).length;
    const fact =
      `${own.length} files of its own, and ${counts.join(", ")}. ` +
      `${later} more files of its own, for sessions, logs, manifests and the command, are loaded when they are needed.`;
    facts.set(fact, [...(facts.get(fact) ?? []), `\`${subject.how}\``]);
  }
  const sentences = [...facts].map(([fact, how]) => `With ${how.join(" and ")} the package loads ${fact}`);
  return { facts: sentences.join("\n\n"), warnings };
}

/** Lists the chunks of `dist/`. */
async function chunksOfPackage(): Promise<string[]> {
  return (await readdir(inRoot("dist/src/chunks"))).map((file) => `chunks/${file}`);
}

/** Sorts files into our own, named from `dist/src/`, and counts by package. */
export function sort(files: readonly string[]): { own: string[]; packages: Map<string, number> } {
  const own: string[] = [];
  const packages = new Map<string, number>();
  for (const file of files) {
    const name = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
    if (name !== undefined) packages.set(name, (packages.get(name) ?? 0) + 1);
    else if (file.includes("/dist/")) own.push(file.replace(/^.*\/dist\/src\//, ""));
  }
  return { own: own.sort(), packages: new Map([...packages].sort()) };
}
