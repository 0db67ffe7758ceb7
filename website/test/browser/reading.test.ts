/** Uses the site as a reader does: search, copy buttons, dark mode and the keyboard. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, open, sites } from "./visit.js";

describe.skipIf(sites === null).each(["root", "below"] as const)("the site at %s", (which) => {
  const site = sites?.[which] ?? "";
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    browser = await connect();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext({ colorScheme: "light", reducedMotion: "reduce" });
    context.setDefaultTimeout(15_000);
    page = await context.newPage();
  });
  afterEach(async () => {
    await context.close();
  });

  const visit = (path: string) => open(page, new URL(path, site).href);
  const isDark = () => page.evaluate(() => document.documentElement.classList.contains("dark"));

  test("search leads to the API page of createContainerInSandbox", async () => {
    await visit("index.html");
    await page.keyboard.press("Control+k");
    await page.getByRole("searchbox").fill("createContainerInSandbox");
    await page.locator('.VPLocalSearchBox .result[href*="/api/"]').first().click();
    await page.waitForURL(/\/api\//);
    const target = page.locator(`[id="${decodeURIComponent(new URL(page.url()).hash.slice(1))}"]`);
    expect(await target.textContent()).toMatch(/createContainerInSandbox/i);
  });

  test("search works with the keyboard alone", async () => {
    await visit("index.html");
    await page.keyboard.press("/");
    await page.getByRole("searchbox").waitFor();
    // At once: letter by letter, results for the first ones would appear before those for the whole word.
    await page.keyboard.insertText("port-forward");
    await page.locator(".VPLocalSearchBox .result").first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.href !== new URL("index.html", site).href);
    await page.locator("main", { hasText: /port/i }).waitFor();
  });

  test("copy buttons copy the code", async () => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await visit("connecting.html");
    const block = page.locator("main div[class*=language-]").first();
    await block.hover();
    await block.getByRole("button", { name: "Copy Code" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.trim()).not.toBe("");
    expect(copied.trim()).toBe((await block.locator("pre code").innerText()).trim());
  });

  test("dark mode follows the system, can be switched, and is remembered", async () => {
    await visit("index.html");
    expect(await isDark()).toBe(false);
    await page.getByRole("switch", { name: /dark/i }).first().click();
    expect(await isDark()).toBe(true);
    await page.reload();
    expect(await isDark()).toBe(true);
    await visit("connecting.html");
    expect(await isDark()).toBe(true);
    const other = await browser.newContext({ colorScheme: "dark" });
    page = await other.newPage();
    await visit("index.html");
    expect(await isDark()).toBe(true);
    await other.close();
  });

  test("the first Tab reaches a link that skips to the content", async () => {
    await visit("connecting.html");
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    expect(await focused.innerText()).toMatch(/skip to content/i);
    expect(await focused.boundingBox()).toMatchObject({ x: expect.any(Number) });
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("main, #VPContent") !== null)).toBe(true);
  });

  test("Tab reaches search, the pages and the content, and shows where it is", async () => {
    await visit("connecting.html");
    const reached = new Set<string>();
    for (
      let presses = 0;
      presses < 150 && !(reached.has("search") && reached.has("sidebar") && reached.has("content"));
      presses++
    ) {
      await page.keyboard.press("Tab");
      const { place, outlined } = await page.evaluate(() => {
        const focused = document.activeElement;
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(focused ?? document.body);
        const place = focused?.closest("#local-search, .VPNavBarSearch")
          ? "search"
          : focused?.closest(".VPSidebar")
            ? "sidebar"
            : focused?.closest("main")
              ? "content"
              : "other";
        return { place, outlined: (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none" };
      });
      reached.add(place);
      expect(outlined, `the focus on ${place} is visible`).toBe(true);
    }
    expect([...reached].sort()).toEqual(expect.arrayContaining(["content", "search", "sidebar"]));
  });
});
