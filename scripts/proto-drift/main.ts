/**
 * `npm run proto:drift [-- FILE] [--latest 1.x] [--json]`
 *
 * @module
 */
import { protoDrift } from "./drift.js";

process.exitCode = await protoDrift(process.argv.slice(2), (text) => console.log(text));
