/**
 * Builds the site twice, at the root of a host and below a path, and tests it.
 *
 *     npm run docs:check
 *
 * @module
 */
import { join } from "node:path";
import { run } from "../scripts/lib/run.js";
import { outputs, repository, website } from "./build/places.js";
import { prepare, step } from "./build/prepare.js";
import { buildSite } from "./build/site.js";

try {
  await prepare();
  await step("Checked the types of website/", () => {
    const tsc = join(website, "node_modules/typescript/bin/tsc");
    return run(process.execPath, [tsc, "-p", website], { cwd: website });
  });
  // One after the other: VitePress has one folder for temporary files.
  for (const output of Object.values(outputs)) {
    await step(`Built the site at ${output.base}`, () => buildSite(output));
  }
  const vitest = join(repository, "node_modules/vitest/vitest.mjs");
  await run(process.execPath, [vitest, "run", "--root", website], { cwd: website, verbose: true });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
