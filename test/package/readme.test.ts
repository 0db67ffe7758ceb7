/**
 * Checks the README and the guides in docs/: their tables match the code, and their commands and links exist.
 * documented-code.test.ts compiles and runs their code.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FakeRuntime } from "k8s-cri-client/testing";
import { describe, expect, test } from "vitest";
import { documents, pages, root } from "./documented-code/blocks.js";
import { flavorTable, policyTable } from "./page-tables.js";

const read = (path: string) => readFile(join(root, path), "utf8");
const readme = await read("README.md");
const scripts: Record<string, string> = JSON.parse(await read("package.json")).scripts;

/** The guides to one task each, with a program and the limits of each runtime. */
const guides = [
  "connecting",
  "lifecycle",
  "manifests",
  "images",
  "exec",
  "port-forward",
  "logs",
  "events",
  "stats",
  "errors",
  "timeouts",
].map((name) => `docs/${name}.md`);

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

describe("the pages", () => {
  test("have the table of budgets and retries that the code defines", async () => {
    const page = await read("docs/timeouts.md");
    const table = /<!-- policies -->\n[^\n]*\n[^\n]*\n(.*)<!-- \/policies -->/s.exec(page)?.[1]?.trimEnd();
    expect(table).toBe(policyTable());
  });

  test.each(documents)("have only commands and links that exist: %s", async (file) => {
    const content = await read(file);
    const commands = [...content.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    const links = [...content.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].map(([, path = "", anchor]) => ({
      target: path === "" ? file : join(dirname(file), path),
      anchor,
    }));
    expect(links.filter(({ target }) => !existsSync(join(root, target)))).toEqual([]);
    for (const { target, anchor } of links) {
      if (anchor === undefined) continue;
      const headings = [...(await read(target)).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title));
      expect(headings, target).toContain(anchor);
    }
  });

  test("are all linked in the README", () => {
    expect(pages.slice(1).filter((page) => !readme.includes(`](${page})`))).toEqual([]);
  });

  test("name all examples in docs/examples.md, and each example checks itself", async () => {
    const links = [...(await read("docs/examples.md")).matchAll(/^\| \[[^\]]*\]\(\.\.\/(examples\/[^)]*)\)/gm)];
    const folders = ["examples", "examples/testing"];
    const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
    const examples = files.filter((file) => /\.[cm]?[jt]s$/.test(file)).sort();
    expect(links.map(([, file]) => file).sort()).toEqual(examples);
    const checks = /import assert from|require\("node:assert|\bexpect\(/;
    for (const file of examples) expect(await read(file), file).toMatch(checks);
  });

  test("keep the README short: at most 160 lines of 120 characters", () => {
    const lines = readme.split("\n");
    expect(lines.length).toBeLessThanOrEqual(160);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test.each(pages.filter((page) => page.startsWith("docs/recipes/")))(
    "begin with a program of at most 40 lines, within the first screen: %s",
    async (recipe) => {
      const [, words = "", program = ""] = /^# [^\n]*\n(.*?)^```ts\n(.*?)^```$/ms.exec(await read(recipe)) ?? [];
      expect(words.trim().split("\n").length).toBeLessThanOrEqual(5);
      expect(program).toMatch(/^await using /m);
      expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
    },
  );

  test.each(guides)(
    "begin with their task and a program, and end with the limits of each runtime: %s",
    async (guide) => {
      const content = await read(guide);
      const [, words = "", program] = /^# [^\n]*\n(.*?)^```ts\n(.*?)^```$/ms.exec(content) ?? [];
      expect(words.trim().split("\n").length).toBeLessThanOrEqual(5);
      expect(words.trim()).toMatch(/^[A-Z].*\.$/s);
      expect(program).toMatch(/^await using cri = /m);
      const headings = [...content.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
      expect(headings.at(-1)).toBe("Limits of each runtime");
    },
  );

  test("have the table of flavours that the code defines", async () => {
    const table = /<!-- flavors -->\n(.*)<!-- \/flavors -->/s.exec(await read("docs/testing.md"))?.[1]?.trimEnd();
    expect(table).toBe(flavorTable());
  });

  test("name every member of FakeRuntime in docs/testing.md", async () => {
    const page = await read("docs/testing.md");
    const members = Object.getOwnPropertyNames(FakeRuntime.prototype).filter((name) => name !== "constructor");
    expect(members.length).toBeGreaterThan(20);
    expect(members.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  test("show the test command that CI runs", async () => {
    const command = /^```sh\n(npm ci && npm test)\n```$/m.exec(readme)?.[1];
    const lines = (await read(".ci/run")).split("\n").filter((line) => line.startsWith("npm "));
    expect(lines.slice(0, 2).join(" && ")).toBe(command);
    expect(lines.slice(2)).toEqual(["npm run test:runtimes", "npm run docs:check", "npm run test:agent"]);
  });

  test("explain every error code", async () => {
    const page = await read("docs/errors.md");
    const codes =
      /export type CriErrorCode =(.*?);/s.exec(await read("src/errors.ts"))?.[1]?.match(/[A-Z_]{4,}/g) ?? [];
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
  });
});
