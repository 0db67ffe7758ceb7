/**
 * Starts one browser for all tests, and serves the built sites.
 *
 * - `CRI_DOCS_BROWSER` is the path of a Chromium to use instead of Debian's.
 * - `CRI_TEST_REQUIRED=1` fails instead of skipping if there is no browser.
 *
 * @module
 */
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { outputs } from "../../build/places.js";
import { serve } from "../../build/serve.js";
import { launchOptions, whyNoBrowser } from "./chromium.js";

export interface ProvidedSites {
  /** Where to connect to the browser. */
  browser: string;
  /** The address of the site at the root of a host. */
  root: string;
  /** The address of the site below a path. */
  below: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    /** Null if there is no browser. */
    sites: ProvidedSites | null;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const reason = whyNoBrowser();
  if (reason !== undefined) {
    if (process.env.CRI_TEST_REQUIRED) throw new Error(`no browser for the tests of the site: ${reason}`);
    console.warn(`\n!!! BROWSER TESTS SKIPPED: ${reason} !!!\n`);
    project.provide("sites", null);
    return undefined;
  }
  const browser = await chromium.launchServer(await launchOptions());
  const root = await serve(outputs.root);
  const below = await serve(outputs.below);
  project.provide("sites", { browser: browser.wsEndpoint(), root: root.url, below: below.url });
  return async () => {
    await Promise.all([browser.close(), root.close(), below.close()]);
  };
}
