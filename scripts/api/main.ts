/**
 * Writes the reports of the public types: `api/`. A review then shows what a change means for users.
 *
 *     npm run api
 *
 * @module
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../lib/buf.js";
import { freshReports } from "./fresh-reports.js";

const reports = await freshReports();
const folder = join(projectRoot, "api");
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [name, text] of Object.entries(reports)) await writeFile(join(folder, name), text);
console.log(`Wrote ${Object.keys(reports).join(", ")} to api/.`);
