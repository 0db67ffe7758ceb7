/** Loads every page: it works without errors, its links lead somewhere, and it fits on a phone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputs } from "../../build/places.js";
import { allPages, connect, follow, samplePages, sites, type Visit, visitEach } from "./visit.js";

const phoneWidth = 390;

/** What a page contains once its scripts have run. */
interface Seen {
  problems: string[];
  /** The addresses of its links. */
  links: string[];
  /** What its links can name after the #. */
  anchors: Set<string>;
  /** What is wider than a phone, or undefined if everything fits. */
  tooWide: string | undefined;
}

const subjects = [
  { which: "root", paths: allPages },
  // The same pages with other addresses.
  { which: "below", paths: samplePages },
] as const;

describe.skipIf(sites === null).each(subjects)("each page of the site at $which", ({ which, paths }) => {
  const site = sites?.[which] ?? "";
  const { folder } = outputs[which];
  const seen = new Map<string, Seen>();
  let browser: Browser;

  beforeAll(async () => {
    browser = await connect();
    const look = async ({ page, problems }: Visit, path: string) => {
      const { links, anchors } = await page.evaluate(() => ({
        links: Array.from(document.querySelectorAll<HTMLAnchorElement>("a[href]"), (link) => link.href),
        anchors: Array.from(document.querySelectorAll("[id]"), (element) => element.id),
      }));
      const tooWide = await page.evaluate(widestElement);
      seen.set(path, { problems: [...problems], links, anchors: new Set(anchors), tooWide });
    };
    const context = await browser.newContext({ viewport: { width: phoneWidth, height: 844 }, reducedMotion: "reduce" });
    await visitEach(context, site, samplePages, look);
    const others = paths.filter((path) => !samplePages.includes(path));
    await visitEach(context, site, others, look, follow);
  });
  afterAll(async () => {
    await browser?.close();
  });

  test("was visited", () => {
    expect([...seen.keys()].sort()).toEqual([...paths].sort());
    expect(paths).toContain("index.html");
  });

  test("loads without errors, failed requests, and requests to other hosts", () => {
    const problems = [...seen].flatMap(([path, { problems }]) => problems.map((problem) => `${path}: ${problem}`));
    expect(problems).toEqual([]);
  });

  test("has no broken link or anchor", () => {
    // The sidebar has the same links on every page.
    const firstPage = new Map<string, string>();
    for (const [path, { links }] of seen) for (const link of links) firstPage.set(link, firstPage.get(link) ?? path);
    const broken = [...firstPage].filter(([link]) => isBroken(link));
    expect(broken.map(([link, path]) => `${link} on ${path}`)).toEqual([]);
  });

  test(`does not scroll horizontally at ${phoneWidth} px`, () => {
    const wide = [...seen].flatMap(([path, { tooWide }]) => (tooWide === undefined ? [] : [`${path}: ${tooWide}`]));
    expect(wide).toEqual([]);
  });

  function isBroken(link: string): boolean {
    const { href, hash, origin, protocol } = new URL(link);
    if (origin !== new URL(site).origin) return protocol !== "https:";
    if (!href.startsWith(site)) return true;
    const path = decodeURIComponent(href.slice(site.length, href.length - hash.length));
    const file = path === "" || path.endsWith("/") ? `${path}index.html` : path;
    if (!existsSync(join(folder, file))) return true;
    const anchors = seen.get(file)?.anchors;
    return hash !== "" && anchors !== undefined && !anchors.has(decodeURIComponent(hash.slice(1)));
  }
});

/** Runs in the page. Returns the widest element if the page can scroll horizontally. */
function widestElement(): string | undefined {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return undefined;
  let [widest, right] = [document.body as Element, 0];
  for (const element of document.body.querySelectorAll("*")) {
    const edge = element.getBoundingClientRect().right;
    if (edge > right) [widest, right] = [element, edge];
  }
  return `${scrollWidth} px, <${widest.localName} class="${widest.className}"> "${widest.textContent?.slice(0, 40)}"`;
}
