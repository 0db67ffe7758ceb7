/**
 * Runs all checks of the sources, then the tests that need no runtime. With names of vitest's projects, runs only their tests.
 *
 *     npm test
 *     npm run test:runtimes
 *
 * The last line is always `N passed, N failed, N skipped`. The exit code is 1 if anything failed, and with `CRI_TEST_REQUIRED=1`
 * also if anything was skipped.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { installIn } from "./lib/install.js";
import { totals, type VitestReport, type VitestRun } from "./lib/test-totals.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The scripts that check the sources. The package tests build and check the package. */
const checks = ["lint", "typecheck", "proto:lint", "generate:check"];

const environment = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) };

/** Runs one check. Prints its output only if it failed. */
async function check(name: string): Promise<boolean> {
  const started = performance.now();
  const child = spawn("npm", ["run", "--silent", name], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [[code], output, errors] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
  if (code !== 0) console.log(`${output}${errors}`.trimEnd());
  return code === 0;
}

/** Runs projects of vitest. The report is undefined if vitest wrote none. */
async function runVitest(...projects: string[]): Promise<VitestRun> {
  const folder = await mkdtemp(join(tmpdir(), "cri-test-"));
  const file = join(folder, "report.json");
  try {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    // Prints a line for each file, and tests only if they fail or take more than 20 s.
    const reporters = [
      "--slowTestThreshold=20000",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ];
    const names = projects.map((project) => `--project=${project}`);
    const child = spawn(process.execPath, [vitest, "run", ...names, ...reporters], {
      cwd: root,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.pipe(process.stdout, { end: false });
    child.stderr.pipe(process.stderr, { end: false });
    const [code] = (await once(child, "exit")) as [number | null];
    const report = await readFile(file, "utf8").then(
      (json) => JSON.parse(json) as VitestReport,
      () => undefined,
    );
    return { code, report };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The projects that run together. The others run alone. */
const groups = [
  ["unit", "integration", "alone", "package"],
  // Identifies its workers by numbers that vitest counts over all projects of a run.
  ["conformance"],
  // Checks time limits.
  ["reliability"],
  // Builds an API server, once, which would slow other tests down.
  ["node-agent"],
];

const started = performance.now();
const named = process.argv.slice(2);
const results: boolean[] = [];
if (named.length === 0) {
  await installIn(join(root, "examples/node-agent"));
  results.push(...(await Promise.all(checks.map(check))));
}
const runs: VitestRun[] = [];
for (const projects of named.length > 0 ? [named] : groups) runs.push(await runVitest(...projects));
const { passed, failed, skipped, skippedFiles, failedTests } = totals(results, runs);
const required = Boolean(process.env.CRI_TEST_REQUIRED);
if (skipped > 0) {
  console.log(
    `\n!!! Not everything was tested${required ? ", which CRI_TEST_REQUIRED makes a failure" : ""}. Skipped:`,
  );
  for (const { file, count } of skippedFiles) console.log(`!!!   ${relative(root, file)}: ${count}`);
}
// Once more at the end, because the output of each run is long.
for (const { file, test, message } of failedTests) console.log(`FAILED  ${relative(root, file)} > ${test}: ${message}`);
console.log(`\nAll in ${((performance.now() - started) / 1_000).toFixed(0)} s.`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || (required && skipped > 0) ? 1 : 0;
