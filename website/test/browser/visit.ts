/**
 * Opens pages of the built sites in the browser.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { inject } from "vitest";
import { forEachSettled } from "../../../src/internal/for-each.js";
import { outputs } from "../../build/places.js";

/** More than the processors of a small machine: tabs also wait for the server and for frames. */
const tabsAtOnce = 4;

/** The addresses of the sites, or null if there is no browser. */
export const sites = inject("sites");

/** Every page of the site, relative to its base, for example `recipes/ci-job.html`. */
export const allPages: readonly string[] = readdirSync(outputs.root.folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".html") && file !== "404.html")
  .map((file) => file.split(sep).join("/"))
  .sort();

/** The pages of the API reference. There are several hundred, of a few kinds. */
export const apiPages = allPages.filter((path) => path.startsWith("api/"));

/** All guides, and the largest API page in folders of each name, such as `interfaces` or `functions`. */
export const samplePages: readonly string[] = (() => {
  const size = (path: string) => statSync(join(outputs.root.folder, path)).size;
  const largest = new Map<string, string>();
  for (const path of apiPages) {
    const kind = posix.basename(posix.dirname(path));
    const known = largest.get(kind);
    if (known === undefined || size(path) > size(known)) largest.set(kind, path);
  }
  return [...allPages.filter((path) => !apiPages.includes(path)), ...largest.values()];
})();

/** Connects to the browser of the global setup. */
export async function connect(): Promise<Browser> {
  if (sites === null) throw new Error("there is no browser");
  return await chromium.connect(sites.browser);
}

/** A page of the site in a tab of the browser. */
export interface Visit {
  readonly page: Page;
  /** Console messages, uncaught errors, failed requests, and requests to other hosts since the visit began. */
  readonly problems: readonly string[];
}

/** How to reach a page: load its file, or follow a link from another page, which takes half the time. */
export type Way = (page: Page, url: string) => Promise<void>;

/** Loads a page and waits until Vue runs on it. */
export const open: Way = async (page, url) => {
  await page.goto(url);
  await page.waitForFunction(() => {
    const app: (Element & { __vue_app__?: unknown }) | null = document.querySelector("#app");
    return app?.__vue_app__ !== undefined;
  });
};

/** Follows a link to a page of the site. */
export const follow: Way = async (page, url) => {
  if (page.url() === "about:blank") await open(page, new URL("/", url).href);
  await page.evaluate((href) => {
    const link = Object.assign(document.createElement("a"), { href });
    document.body.append(link);
    link.click();
    link.remove();
  }, url);
  // VitePress names the content after the page.
  const name = new URL(url).pathname.replace(/index\.html$|\.html$/, "").replace(/[./]+/g, "_");
  await page.waitForFunction((name) => document.querySelector("main .vp-doc")?.classList.contains(name), name);
};

/** Visits pages of a site, several at a time. Throws if a visit fails. */
export async function visitEach(
  context: BrowserContext,
  site: string,
  paths: readonly string[],
  look: (visit: Visit, path: string) => Promise<void>,
  reach = open,
): Promise<void> {
  const tabs = await Promise.all(Array.from({ length: tabsAtOnce }, async () => watch(await context.newPage(), site)));
  const failures = await forEachSettled(paths, tabsAtOnce, async (path) => {
    const tab = tabs.pop()!;
    tab.problems.length = 0;
    try {
      await reach(tab.page, new URL(path, site).href);
      await look(tab, path);
    } catch (error) {
      throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
    } finally {
      tabs.push(tab);
    }
  });
  for (const { page } of tabs) await page.close();
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
}

function watch(page: Page, site: string) {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught ${error}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    const own = protocol === "data:" || protocol === "blob:" || origin === new URL(site).origin;
    if (!own) problems.push(`request to another host: ${request.url()}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // The tab aborts what it prefetches when it goes to the next page.
    if (reason !== "net::ERR_ABORTED") problems.push(`request failed: ${request.url()}: ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  return { page, problems };
}
