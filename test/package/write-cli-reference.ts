/**
 * Writes the reference of the commands in docs/cli.md.
 *
 *     npm run cli:page
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cliGuidePath, withReference } from "./cli-reference.js";

writeFileSync(cliGuidePath, await withReference(readFileSync(cliGuidePath, "utf8")));
console.log(`Wrote the reference of the commands to ${cliGuidePath}.`);
