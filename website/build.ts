/**
 * Builds the site.
 *
 *     npm run docs -- [--base /path/] [--serve [--port N]]
 *
 * `--base` is the path below which a host serves the site, `/` by default; `DOCS_BASE` sets it, too. `--serve` serves the site on
 * loopback until the program is interrupted.
 *
 * @module
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { outputs } from "./build/places.js";
import { prepare, step } from "./build/prepare.js";
import { serve } from "./build/serve.js";
import { buildSite } from "./build/site.js";

const usage = "Usage: npm run docs -- [--base /path/] [--serve [--port N]]";

function readOptions() {
  const { values } = parseArgs({
    options: {
      base: { type: "string", default: process.env.DOCS_BASE ?? outputs.root.base },
      serve: { type: "boolean", default: false },
      port: { type: "string", default: "4173" },
    },
  });
  if (!/^\/(?:[^/\s]+\/)*$/.test(values.base)) {
    throw new Error(`--base must begin and end with a slash, such as /docs/, got "${values.base}".`);
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`--port must be 0 to 65535, got "${values.port}".`);
  return { ...values, port };
}

try {
  const options = readOptions();
  const output = { base: options.base, folder: outputs.root.folder };
  await prepare();
  await step("Built the site", () => buildSite(output));
  console.log(
    `\nThe site is in ${relative(process.cwd(), output.folder)}/, for any static host that serves it at ${output.base}`,
  );
  if (options.serve) console.log(`Open it: ${(await serve(output, options.port)).url}`);
  else console.log("To open it: npm run docs -- --serve");
} catch (error) {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  console.error(`${(error as Error).message}${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = 1;
}
