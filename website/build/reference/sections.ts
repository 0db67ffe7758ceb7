/** Reads the sections of an entry point from the comments between its exports: `// Resources` begins the section "Resources". */
export function sectionsOf(source: string): ReadonlyMap<string, readonly string[]> {
  const [, ...parts] = source.split(/^\/\/ ([^:\n]+).*\n$/m);
  const sections = new Map<string, readonly string[]>();
  for (let i = 0; i < parts.length; i += 2) {
    sections.set(parts[i] ?? "", exportsOf(parts[i + 1] ?? ""));
  }
  return sections;
}

/** Returns the names that the source of an entry point exports, except those of `export *`. */
export function exportsOf(source: string): readonly string[] {
  const lists = [...source.matchAll(/^export (?:type )?\{(.*?)\}/gms)].flatMap(([, list = ""]) => list.split(","));
  const declared = [...source.matchAll(/^export (?:async )?(?:interface|class|function|const|type) (\w+)/gm)];
  const names = [
    ...lists.map((name) =>
      name
        .replace(/^.* as /s, "")
        .replace(/^\s*type /, "")
        .trim(),
    ),
    ...declared.map(([, name = ""]) => name),
  ];
  return [...new Set(names)].filter(Boolean);
}
