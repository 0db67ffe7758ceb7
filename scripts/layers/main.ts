/**
 * Writes the lint rule of the layers: `biome.layers.json`.
 *
 *     npm run layers
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { lintRule, lintRuleFile } from "./lint-rule.js";

writeFileSync(new URL(`../../${lintRuleFile}`, import.meta.url), lintRule());
console.log(`Wrote ${lintRuleFile}.`);
