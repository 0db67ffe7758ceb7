/**
 * Builds the assembled Markdown into a folder.
 *
 * @module
 */
import { join } from "node:path";
import { run } from "../../scripts/lib/run.js";
import { brokenLinks } from "./broken-links.js";
import { website } from "./places.js";

export interface Output {
  /** The path below which the site is served. Begins and ends with a slash. */
  readonly base: string;
  readonly folder: string;
}

/** Builds the site with VitePress. @throws Error if the build fails, or a link leads to a page or an anchor that does not exist */
export async function buildSite(output: Output): Promise<void> {
  const { base, folder } = output;
  const vitepress = join(website, "node_modules/vitepress/bin/vitepress.js");
  await run(process.execPath, [vitepress, "build", website, "--outDir", folder], {
    cwd: website,
    env: { DOCS_BASE: base },
  });
  const broken = await brokenLinks(output);
  // Each page repeats a broken link of the sidebar.
  const shown = [...broken.slice(0, 50), ...(broken.length > 50 ? [`… ${broken.length - 50} more`] : [])];
  if (broken.length > 0) throw new Error(`The site has broken links:\n${shown.join("\n")}`);
}
