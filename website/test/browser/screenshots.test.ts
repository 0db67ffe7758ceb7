/** Takes screenshots of five pages, on a desktop and on a phone, for a person to review. */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { devices } from "playwright-core";
import { describe, expect, test } from "vitest";
import { pathOnSite } from "../../build/links.js";
import { website } from "../../build/places.js";
import { pages } from "../../pages.js";
import { apiPages, connect, sites, visitEach } from "./visit.js";

const folder = join(website, ".cache/screenshots");

describe.skipIf(sites === null)("screenshots of five pages", () => {
  test("on a desktop and on a phone, in light and in dark mode", async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const browser = await connect();
    const first = pathOnSite(pages[0]!.file).replace(/md$/, "html");
    const api = apiPages.find((path) => path.endsWith("/CriClient.html"))!;
    const paths = ["index.html", first, "exec.html", "performance.html", api];
    const views = {
      desktop: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
      dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
      phone: { ...devices["Pixel 5"], viewport: { width: 390, height: 844 }, colorScheme: "light" },
    } as const;
    const taken: string[] = [];
    for (const [view, options] of Object.entries(views)) {
      const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
      await visitEach(context, sites?.root ?? "", paths, async ({ page }, path) => {
        const file = join(folder, `${path.replace(/\.html$/, "").replaceAll("/", "-")}-${view}.png`);
        await page.screenshot({ path: file });
        taken.push(file);
      });
    }
    await browser.close();
    for (const file of taken) expect((await stat(file)).size).toBeGreaterThan(0);
    console.log(`Screenshots: ${folder}`);
  });
});
