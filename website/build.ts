/**
 * Builds the site into website/dist.
 *
 *     npm run docs
 *
 * @module
 */
import { assemble } from "./build/assemble.js";
import { install } from "./build/install.js";
import { outputs } from "./build/places.js";
import { buildSite } from "./build/site.js";

await install();
await assemble();
await buildSite(outputs.root);
console.log(`Built ${outputs.root.folder}`);
