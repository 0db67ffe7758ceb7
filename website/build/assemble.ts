/**
 * Assembles the Markdown of the site: a copy of the pages with links for the site, and the files they show.
 *
 * @module
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pages } from "../pages.js";
import { firstProgram, landingPage } from "./landing.js";
import { pathOnSite, rewriteLinks } from "./links.js";
import { repository, repositoryAddress, source, website } from "./places.js";

const files = new Set(pages.map(({ file }) => file));

/** Reads a Markdown file of the repository, with links for the site. */
async function read(file: string): Promise<string> {
  const text = await readFile(join(repository, file), "utf8");
  return rewriteLinks(text, { file, isPage: (path) => files.has(path), repository: repositoryAddress });
}

async function write(path: string, text: string): Promise<void> {
  const target = join(source, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}

/** Writes the landing page, the pages of the table of contents, and their images. Removes the previous ones. */
export async function assemble(): Promise<void> {
  await rm(source, { recursive: true, force: true });
  const readme = await read("README.md");
  await write("index.md", landingPage(readme));
  await write("parts/first-program.md", firstProgram(readme));
  for (const file of files) await write(pathOnSite(file), await read(file));
  await cp(join(repository, "docs"), source, { recursive: true, filter: (path) => !path.endsWith(".md") });
  await cp(join(website, "public"), join(source, "public"), { recursive: true });
}
