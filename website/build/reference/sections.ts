/** Reads the sections of an entry point from the comments between its exports: `// Resources` begins the section "Resources". */
export function sectionsOf(source: string): ReadonlyMap<string, readonly string[]> {
  const [, ...parts] = source.split(/^\/\/ ([^:\n]+).*\n$/m);
  const sections = new Map<string, readonly string[]>();
  for (let i = 0; i < parts.length; i += 2) {
    const lists = [...(parts[i + 1] ?? "").matchAll(/^export (?:type )?\{(.*?)\}/gms)];
    const names = lists.flatMap(([, list = ""]) => list.split(",")).map((name) => name.replace(/^\s*type /, "").trim());
    sections.set(parts[i] ?? "", names.filter(Boolean));
  }
  return sections;
}
