/**
 * Checks the links of a built site. VitePress checks only the pages of links in Markdown, not their anchors.
 *
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import type { Output } from "./site.js";

/** Returns the links to files or anchors that the site does not have, as `page: link`. */
export async function brokenLinks({ base, folder }: Output): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).map((path) => path.split(sep).join("/"));
  const pages = new Map(
    await Promise.all(
      files
        .filter((path) => path.endsWith(".html"))
        .map(async (path): Promise<[string, string]> => [path, await readFile(join(folder, path), "utf8")]),
    ),
  );
  const anchors = new Map([...pages].map(([path, html]) => [path, anchorsIn(html)]));
  const existing = new Set(files);
  const broken = new Set<string>();
  for (const [page, html] of pages) {
    // VitePress loads the page for the address that was not found, whatever it is.
    if (page === "404.html") continue;
    for (const link of linksIn(html)) {
      const { path, anchor } = resolve(link, page, base);
      const found = path !== undefined && existing.has(path) && (anchor === "" || anchors.get(path)?.has(anchor));
      if (!found) broken.add(`${page}: ${link}`);
    }
  }
  return [...broken].sort();
}

function anchorsIn(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => decode(id)));
}

/** The links that stay on the host. */
function linksIn(html: string): string[] {
  const links = [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, link = ""]) => decode(link));
  return [...new Set(links)].filter((link) => !/^[a-z]+:/.test(link));
}

function resolve(link: string, page: string, base: string): { path: string | undefined; anchor: string } {
  const { pathname, hash } = new URL(link, `http://host${base}${page}`);
  const path = decodeURIComponent(pathname);
  const file = path.endsWith("/") ? posix.join(path, "index.html") : path;
  return {
    path: file.startsWith(base) ? file.slice(base.length) : undefined,
    anchor: decodeURIComponent(hash.slice(1)),
  };
}

function decode(attribute: string): string {
  return attribute
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
