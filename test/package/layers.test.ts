/**
 * Checks the layers of the sources. The lint rule checks them, too. This test reads the imports itself, so it fails even if the rule
 * is disabled. It also checks that the rule forbids exactly the imports that the layers forbid.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawLayers, mayImport, type Part, parts } from "../../scripts/layers/layers.js";
import { lintRule, lintRuleFile } from "../../scripts/layers/lint-rule.js";
import { circularImports, importsBelow, importsOf, root } from "../support/import-graph.js";

/** The only file of testing/ that imports the client: `FakeRuntime.connect` is there. */
const clientInTesting = "src/testing/fake-runtime.ts";

const imports = importsBelow("src");
const inner = imports.filter(({ to }) => to.endsWith(".ts"));

function partOf(file: string): Part {
  const path = file.replace(/^src\//, "");
  const part = parts.find((candidate) => (candidate.endsWith("/") ? path.startsWith(candidate) : path === candidate));
  if (part === undefined) throw new Error(`${file} belongs to no layer: add it to scripts/layers/layers.ts.`);
  return part;
}

describe("layers", () => {
  test("every import resolves to a file", () => {
    expect(inner.length).toBeGreaterThan(100);
    expect(inner.filter(({ to }) => !existsSync(join(root, to)))).toEqual([]);
  });

  test("files import only from lower layers, never from the same one", () => {
    const violations = inner.filter(({ from, to }) => !mayImport(partOf(from), partOf(to)));
    expect(violations.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("each file of generated code is imported by one file", () => {
    const importers = inner.filter(({ to }) => to.startsWith("generated/")).map(({ from, to }) => `${from} ${to}`);
    expect(importers.sort()).toEqual([
      "src/decoders.ts generated/runtime/v1/api.decode.ts",
      "src/proto.ts generated/runtime/v1/api.ts",
    ]);
  });

  test("testing/ imports the client in one file only", () => {
    const importers = inner.filter(({ from, to }) => from.startsWith("src/testing/") && to === "src/client.ts");
    expect(importers.map(({ from }) => from).filter((from) => from !== clientInTesting)).toEqual([]);
  });

  test("there are no circular imports, not even of types", () => {
    const all = ["src", "bench", "test", "scripts", "examples"].flatMap(importsBelow);
    expect(circularImports(all)).toEqual([]);
  });

  test("index.ts names every export", () => {
    expect(readFileSync(join(root, "src/index.ts"), "utf8")).not.toMatch(/^export \*/m);
  });

  test("every imported package is a dependency, and every dependency is imported", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const used = [...imports, ...importsOf("generated/runtime/v1/api.ts")]
      .filter(({ to }) => !to.endsWith(".ts") && !to.startsWith("node:"))
      .map(({ to }) => to.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] as string);
    expect(used.filter((name) => builtinModules.includes(name))).toEqual([]);
    expect([...new Set(used)].sort()).toEqual(declared.sort());
  });

  test("only otel/ imports the optional packages", () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const optional = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional);
    expect(optional).toEqual(Object.keys(peerDependencies));
    const importers = imports.filter(({ to }) => optional.includes(to)).map(({ from }) => from);
    expect(importers.length).toBeGreaterThan(0);
    expect(importers.filter((file) => !file.startsWith("src/otel/"))).toEqual([]);
  });

  test("CONTRIBUTING.md shows the layers", () => {
    expect(readFileSync(join(root, "CONTRIBUTING.md"), "utf8")).toContain(`\`\`\`\n${drawLayers()}\n\`\`\``);
  });
});

describe("the lint rule", () => {
  test("is up to date: otherwise run `npm run layers`", () => {
    expect(readFileSync(join(root, lintRuleFile), "utf8")).toBe(lintRule());
  });

  test("forbids exactly the imports that the layers forbid, in folders of every depth", () => {
    const folder = mkdtempSync(join(tmpdir(), "layers-"));
    try {
      const forbidden = parts.filter((part) => part !== "generated/").flatMap((part) => writeProbes(folder, part));
      const { vcs: _, ...config } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
      writeFileSync(join(folder, "biome.json"), JSON.stringify(config));
      writeFileSync(join(folder, lintRuleFile), lintRule());
      expect(lintedImports(folder).sort()).toEqual(forbidden.sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is not disabled in any file", () => {
    const disabling = [...new Set(imports.map(({ from }) => from))].filter((file) =>
      /biome-ignore(?:-\w+)? lint(?:\/style(?:\/noRestrictedImports)?)?[:\s]/.test(
        readFileSync(join(root, file), "utf8"),
      ),
    );
    expect(disabling).toEqual([]);
  });
});

/** Writes files that import every other part, one a line. Returns the imports that the layers forbid. */
function writeProbes(folder: string, from: Part): string[] {
  const depths = from.endsWith("/") ? ["", "deeper/", "deeper/still/"] : [""];
  return depths.flatMap((depth) => {
    const probe = from.endsWith("/") ? `src/${from}${depth}probe.ts` : `src/${from}`;
    const up = "../".repeat(probe.split("/").length - 2) || "./";
    const others = parts.filter((part) => part !== from);
    const lines = others.map((to) => {
      if (to === "generated/") return `import "${up}../generated/probe.js";`;
      return `import "${up}${to.endsWith("/") ? `${to}probe.js` : to.replace(/\.ts$/, ".js")}";`;
    });
    mkdirSync(dirname(join(folder, probe)), { recursive: true });
    writeFileSync(join(folder, probe), lines.join("\n"));
    return lines.filter((_, index) => !mayImport(from, others[index] as Part)).map((line) => `${probe}: ${line}`);
  });
}

/** Lists the imports that the lint rule reports in a folder. */
function lintedImports(folder: string): string[] {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const options = ["lint", "--only=style/noRestrictedImports", "--reporter=json", "--max-diagnostics=none"];
  const { stdout } = spawnSync(process.execPath, [biome, ...options], { cwd: folder, encoding: "utf8" });
  const report = JSON.parse(stdout) as { diagnostics: { location: { path: string; start: { line: number } } }[] };
  return report.diagnostics.map(({ location: { path, start } }) => {
    return `${path}: ${readFileSync(join(folder, path), "utf8").split("\n")[start.line - 1]}`;
  });
}
