/**
 * Prepares the sources of the site: everything before VitePress.
 *
 * @module
 */
import { installIn } from "../../scripts/lib/install.js";
import { assemble } from "./assemble.js";
import { website } from "./places.js";

/** Installs the packages of website/ if necessary, and writes the Markdown of the guides and the reference. */
export async function prepare(): Promise<void> {
  await step("Installed website/node_modules", () => installIn(website));
  await step("Assembled the guides", assemble);
  await step("Wrote the API reference", async () => {
    // Imports packages that are not installed earlier.
    const { writeReference } = await import("./reference/reference.js");
    await writeReference();
  });
}

/** Does one step, and prints how long it took. A step that had nothing to do returns false. */
export async function step(what: string, action: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  if ((await action()) === false) return;
  console.log(`${what} (${((performance.now() - started) / 1_000).toFixed(1)} s)`);
}
