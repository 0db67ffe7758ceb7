/**
 * Assembles the Markdown of the site: a copy of the pages with links for the site, and the files they show.
 *
 * @module
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { pages } from "../pages.js";
import { pathOnSite, rewriteLinks } from "./links.js";
import { repository, source } from "./places.js";

const address = manifest.repository.url.replace(/^git\+|\.git$/g, "");

/** Writes the pages of the table of contents, the landing page and the images. */
export async function assemble(): Promise<void> {
  await rm(source, { recursive: true, force: true });
  const isPage = new Set(pages.map(({ file }) => file));
  for (const { file } of pages) {
    const text = await readFile(join(repository, file), "utf8");
    const target = join(source, pathOnSite(file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, rewriteLinks(text, { file, isPage: (path) => isPage.has(path), repository: address }));
  }
  await cp(join(repository, "docs"), source, {
    recursive: true,
    filter: (path) => !path.endsWith(".md"),
  });
  await cp(join(import.meta.dirname, "../landing.md"), join(source, "index.md"));
}
