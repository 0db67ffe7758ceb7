/**
 * Sets the address of the repository in package.json, and its owner in .github/CODEOWNERS. Without arguments, checks package.json,
 * as `npm publish` does.
 *
 *     npm run repository -- OWNER/NAME
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { addressesOf, ownerIn, problemOf } from "./addresses.js";

const manifestFile = new URL("../../package.json", import.meta.url);
const ownersFile = new URL("../../.github/CODEOWNERS", import.meta.url);
const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
const [name] = process.argv.slice(2);
try {
  if (name === undefined) {
    const problem = problemOf(manifest);
    if (problem) throw new Error(`${problem} Run: npm run repository -- OWNER/NAME`);
  } else {
    const changed = { ...manifest, ...addressesOf(name) };
    const owners = readFileSync(ownersFile, "utf8").replaceAll(`@${ownerIn(manifest)}`, `@${ownerIn(changed)}`);
    writeFileSync(manifestFile, `${JSON.stringify(changed, null, 2)}\n`);
    writeFileSync(ownersFile, owners);
    console.log(`The repository is ${changed.homepage.replace("#readme", "")}.`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
