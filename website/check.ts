/**
 * Builds the site twice, at the root of a host and below a path, and tests it.
 *
 *     npm run docs:check
 *
 * @module
 */
import { join } from "node:path";
import { assemble } from "./build/assemble.js";
import { install } from "./build/install.js";
import { outputs, repository, website } from "./build/places.js";
import { run } from "./build/run.js";
import { buildSite } from "./build/site.js";

await install();
await run(process.execPath, [join(website, "node_modules/typescript/bin/tsc"), "-p", website], { cwd: website });
await assemble();
await Promise.all(Object.values(outputs).map(buildSite));
const vitest = [join(repository, "node_modules/vitest/vitest.mjs"), "run", "--root", website];
await run(process.execPath, vitest, { cwd: website, verbose: true });
