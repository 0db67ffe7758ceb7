/**
 * Which part of the sources may import which. The same order is a lint rule in biome.json; here it is derived from the imports
 * once more, so that a disabled rule changes nothing, and the rule itself is held against it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** From below. A part imports from the lines before its own; parts on one line never import each other. */
const layers = [
  ["generated"],
  ["proto", "decoders"],
  ["internal"],
  ["errors", "options"],
  ["json"],
  ["transport", "specs", "streaming", "logs"],
  ["rpcs"],
  ["resources"],
  ["client", "prometheus"],
  ["index", "testing"],
] as const;
type Part = (typeof layers)[number][number];

/** Who may import generated code. */
const doors: readonly Part[] = layers[1];

/** Parts that are one file rather than a folder. */
const singleFiles: ReadonlySet<Part> = new Set<Part>([
  "proto",
  "decoders",
  "errors",
  "options",
  "client",
  "prometheus",
  "index",
]);

/** Imports against the order, each with its reason. */
const exceptions: readonly { from: string; to: string; reason: string }[] = [];

/** The only file of testing/ that may know the client: `FakeRuntime.connect` lives there. */
const clientInTesting = "src/testing/fake-runtime.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Import {
  /** Path of the importing file, from the root. */
  from: string;
  /** Path of the imported file, or the name of a package. */
  to: string;
  kind: "value" | "type" | "dynamic";
}

const imports = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `src/${name.split(sep).join("/")}`)
  .flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")));
const inner = imports.filter(({ to }) => to.endsWith(".ts"));

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, kind: Import["kind"]) => {
    const target = specifier.startsWith(".")
      ? normalize(join(dirname(file), specifier))
          .split(sep)
          .join("/")
      : specifier;
    found.push({ from: file, to: specifier.startsWith(".") ? target.replace(/\.js$/, ".ts") : target, kind });
  };
  for (const [, type, specifier] of text.matchAll(/^(?:import|export)\s+(type\s)?[\w\s{},*$]*?\bfrom\s+"([^"]+)"/gm)) {
    add(specifier as string, type ? "type" : "value");
  }
  for (const [, specifier] of text.matchAll(/^import\s+"([^"]+)"/gm)) add(specifier as string, "value");
  for (const [, specifier] of text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) add(specifier as string, "dynamic");
  return found;
}

function partOf(file: string): Part {
  const [top, second = ""] = file.split("/");
  const name = top === "src" ? second.replace(/\.ts$/, "") : top;
  const part = layers.flat().find((candidate) => candidate === name);
  if (part === undefined) throw new Error(`${file} belongs to no layer: give it a place in the list above.`);
  return part;
}

function allowed(from: Part, to: Part): boolean {
  if (from === to) return true;
  if (to === "generated") return doors.includes(from);
  const rank = (part: Part) => layers.findIndex((layer) => (layer as readonly Part[]).includes(part));
  return rank(to) < rank(from);
}

describe("layers", () => {
  test("every import leads to a file", () => {
    expect(inner.length).toBeGreaterThan(100);
    expect(inner.filter(({ to }) => !existsSync(join(root, to)))).toEqual([]);
  });

  test("imports lead downwards only, and never to a sibling", () => {
    const against = inner.filter(({ from, to }) => !allowed(partOf(from), partOf(to)));
    const unexplained = against.filter(({ from, to }) => !exceptions.some((e) => e.from === from && e.to === to));
    expect(unexplained.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    const stale = exceptions.filter((e) => !against.some(({ from, to }) => e.from === from && e.to === to));
    expect(stale, "exceptions without a use").toEqual([]);
  });

  test("each file of generated code has one door", () => {
    const importers = inner.filter(({ to }) => to.startsWith("generated/")).map(({ from, to }) => `${from} ${to}`);
    expect(importers.sort()).toEqual([
      "src/decoders.ts generated/runtime/v1/api.decode.ts",
      "src/proto.ts generated/runtime/v1/api.ts",
    ]);
  });

  test("testing/ knows the client in one place only", () => {
    const importers = inner.filter(({ from, to }) => from.startsWith("src/testing/") && to === "src/client.ts");
    expect(importers.map(({ from }) => from).filter((from) => from !== clientInTesting)).toEqual([]);
  });

  test("no cycles of imports at run time", () => {
    expect(findCycle(inner.filter(({ kind }) => kind === "value"))).toEqual([]);
  });

  test("index.ts names every export", () => {
    expect(readFileSync(join(root, "src/index.ts"), "utf8")).not.toMatch(/^export \*/m);
  });

  test("packages that are imported are dependencies, and the other way round", () => {
    const declared = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies);
    const generated = importsOf("generated/x.ts", readFileSync(join(root, "generated/runtime/v1/api.ts"), "utf8"));
    const used = [...imports, ...generated]
      .filter(({ to }) => !to.endsWith(".ts") && !to.startsWith("node:"))
      .map(({ to }) => to.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] as string);
    expect(used.filter((name) => builtinModules.includes(name))).toEqual([]);
    expect([...new Set(used)].sort()).toEqual(declared.sort());
  });
});

describe("the lint rule", () => {
  test("says the same as the list above", () => {
    const folder = mkdtempSync(join(tmpdir(), "layers-"));
    try {
      const expected: string[] = [];
      for (const from of layers.flat().filter((part) => part !== "generated")) {
        // A folder may have folders of its own, where everything is one step further away.
        const places = singleFiles.has(from) ? [[`${from}.ts`, "./"]] : [[`${from}/probe.ts`, "../"]];
        if (from === "testing" || from === "streaming") places.push([`${from}/deeper/probe.ts`, "../../"]);
        for (const [place = "", up = ""] of places) {
          const others = layers.flat().filter((part) => part !== from);
          const lines = others.map((to) => {
            if (to === "generated") return `import "${up === "./" ? "../" : `../${up}`}generated/x.js";`;
            return `import "${up}${singleFiles.has(to) ? to : `${to}/probe`}.js";`;
          });
          mkdirSync(dirname(join(folder, "src", place)), { recursive: true });
          writeFileSync(join(folder, "src", place), lines.join("\n"));
          for (const [index, to] of others.entries()) {
            if (!allowed(from, to)) expected.push(`src/${place}:${index + 1} ${to}`);
          }
        }
      }
      const { vcs: _, ...config } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
      writeFileSync(join(folder, "biome.json"), JSON.stringify(config));
      const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
      const options = ["lint", "--only=style/noRestrictedImports", "--reporter=json", "--max-diagnostics=none"];
      const { stdout } = spawnSync(process.execPath, [biome, ...options], { cwd: folder, encoding: "utf8" });
      const report = JSON.parse(stdout) as {
        diagnostics: { location: { path: string; start: { line: number } } }[];
      };
      const found = report.diagnostics.map(({ location: { path, start } }) => {
        const line = readFileSync(join(folder, path), "utf8").split("\n")[start.line - 1] ?? "";
        const to = line.replace(/^import "(?:\.\.?\/)+/, "").match(/^\w+/)?.[0];
        return `${path}:${start.line} ${to}`;
      });
      expect(found.sort()).toEqual(expected.sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is disabled nowhere", () => {
    const disabling = [...new Set(imports.map(({ from }) => from))].filter((file) =>
      /biome-ignore(?:-\w+)? lint(?:\/style(?:\/noRestrictedImports)?)?[:\s]/.test(
        readFileSync(join(root, file), "utf8"),
      ),
    );
    expect(disabling).toEqual([]);
  });
});

/** The files of a cycle, or nothing. */
function findCycle(edges: readonly Import[]): string[] {
  const next = new Map<string, Import[]>();
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge]);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const { to } of next.get(file) ?? []) {
      const cycle = visit(to);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
