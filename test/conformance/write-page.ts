/**
 * Counts the journeys without running them, and writes docs/conformance.md.
 *
 *     npm run conformance:page
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FileCounts, pageOf, pagePath } from "./page.js";

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const counts = mkdtempSync(join(tmpdir(), "cri-counts-"));
try {
  const { status } = spawnSync(process.execPath, [vitest, "run", "--project=conformance"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CRI_CONFORMANCE_COUNTS: counts },
  });
  if (status !== 0) throw new Error(`vitest could not collect the journeys (exit code ${status})`);
  const files = readdirSync(counts).map((file) => JSON.parse(readFileSync(join(counts, file), "utf8")) as FileCounts);
  writeFileSync(pagePath, pageOf(files));
  console.log(`Wrote ${pagePath}: ${files.length} files of journeys`);
} finally {
  rmSync(counts, { recursive: true });
}
