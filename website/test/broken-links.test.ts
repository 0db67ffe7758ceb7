import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { brokenLinks } from "../build/broken-links.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-site-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function site(files: Record<string, string>, base = "/"): Promise<string[]> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return await brokenLinks({ base, folder });
}

test("accepts links to pages, folders, files, anchors and other hosts", async () => {
  const links = ["a.html", "/api/", "./api/index.html#b%26c", "#top", "/icon.svg", "https://example.com/missing"];
  const index = `<h1 id="top"></h1>${links.map((link) => `<a href="${link}"></a>`).join("")}<img src="icon.svg">`;
  const files = { "index.html": index, "a.html": "", "icon.svg": "", "api/index.html": '<p id="b&amp;c">' };
  expect(await site(files)).toEqual([]);
});

test("finds links to pages, files and anchors that do not exist, once each", async () => {
  const index = '<a href="/b.html"></a><a href="/b.html"></a><a href="a.html#b"></a><a href="#c"></a><img src="d.svg">';
  expect(await site({ "index.html": index, "a.html": '<p id="a">' })).toEqual([
    "index.html: #c",
    "index.html: /b.html",
    "index.html: a.html#b",
    "index.html: d.svg",
  ]);
});

test("finds links that leave the path of the site", async () => {
  const index = '<a href="/docs/a.html"></a><a href="/a.html"></a><a href="../a.html"></a>';
  expect(await site({ "index.html": index, "a.html": "" }, "/docs/")).toEqual([
    "index.html: ../a.html",
    "index.html: /a.html",
  ]);
});
