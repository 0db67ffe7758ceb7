/**
 * Builds the assembled Markdown into a folder.
 *
 * @module
 */
import { join } from "node:path";
import { website } from "./places.js";
import { run } from "./run.js";

export interface Output {
  /** The path below which the site is served. Begins and ends with a slash. */
  readonly base: string;
  readonly folder: string;
}

/** Runs VitePress. @throws Error if the build fails, for example for a link to a page that does not exist */
export async function buildSite({ base, folder }: Output): Promise<void> {
  const vitepress = join(website, "node_modules/vitepress/bin/vitepress.js");
  await run(process.execPath, [vitepress, "build", website, "--base", base, "--outDir", folder], { cwd: website });
}
