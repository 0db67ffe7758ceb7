/** Checks pages with axe: contrast, headings, names, landmarks and more, in light and in dark mode. */
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, samplePages, sites, visitEach } from "./visit.js";

/** All rules in light mode. Only the colours differ in dark mode. */
const runOnly: Record<"light" | "dark", axe.RunOnly> = {
  light: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
  dark: { type: "rule", values: ["color-contrast"] },
};

describe.skipIf(sites === null)("axe finds nothing in light and in dark mode", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await connect();
  });
  afterAll(async () => {
    await browser?.close();
  });

  test("on guides and on API pages of each kind", async () => {
    const found = new Findings();
    const context = await browser.newContext({ reducedMotion: "reduce" });
    await visitEach(context, sites?.root ?? "", samplePages, async ({ page }, path) => {
      await page.evaluate(axe.source);
      await page.evaluate(removeRepeatedTokens);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const options: axe.RunOptions = { runOnly: runOnly[colorScheme], resultTypes: ["violations"] };
        await page.waitForFunction(
          (isDark) => document.documentElement.classList.contains("dark") === isDark,
          colorScheme === "dark",
        );
        const results = await page.evaluate(
          async (options) => await (window as unknown as { axe: typeof axe }).axe.run(options),
          options,
        );
        expect([...results.passes, ...results.violations].map(({ id }) => id)).toContain("color-contrast");
        found.add(`${path} (${colorScheme})`, results.violations);
      }
      await page.emulateMedia({ colorScheme: "light" });
    });
    expect(found.list()).toEqual([]);
  });
});

/** Runs in the page. Keeps one token of each colour in a code block: axe takes most of its time for thousands of them. */
function removeRepeatedTokens(): void {
  for (const block of document.querySelectorAll("pre")) {
    const seen = new Set<string | null>();
    for (const token of block.querySelectorAll("span[style]")) {
      const style = token.getAttribute("style");
      if (seen.has(style)) token.remove();
      seen.add(style);
    }
  }
}

/** Violations, with the same one of many elements and pages listed once. */
class Findings {
  readonly #all = new Map<string, string[]>();

  add(path: string, violations: readonly axe.Result[]): void {
    for (const { id, nodes } of violations) {
      for (const { target, failureSummary } of nodes) {
        const problem = `${id}: ${failureSummary?.replace(/\s+/g, " ")}`;
        const places = this.#all.get(problem) ?? [];
        places.push(`${path} ${target.join(" ")}`);
        this.#all.set(problem, places);
      }
    }
  }

  list(): string[] {
    return Array.from(this.#all, ([problem, places]) => `${places.length} × ${problem} (first: ${places[0]})`);
  }
}
