/**
 * Writes the lists of fields in docs/manifests.md.
 *
 *     npm run manifests:page
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { guidePath, withFields } from "./manifest-fields.js";

writeFileSync(guidePath, withFields(readFileSync(guidePath, "utf8")));
console.log(`Wrote the fields of manifests to ${guidePath}.`);
