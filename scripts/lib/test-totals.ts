/**
 * Counts the checks and tests of `npm test`.
 *
 * @module
 */

/** The counted parts of vitest's JSON report. */
export interface VitestReport {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[];
  }[];
}

/** One run of vitest: its exit code, and its report if it wrote one. */
export interface VitestRun {
  code: number | null;
  report: VitestReport | undefined;
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  skippedFiles: { file: string; count: number }[];
  failedTests: { file: string; test: string; message: string }[];
}

/**
 * Counts every check and every test once. Failures outside of tests count too: a file that cannot be loaded, an uncaught error, or
 * a run of vitest without a report.
 */
export function totals(checks: readonly boolean[], runs: readonly VitestRun[]): Totals {
  const sum: Totals = { passed: 0, failed: 0, skipped: 0, skippedFiles: [], failedTests: [] };
  for (const good of checks) sum[good ? "passed" : "failed"]++;
  for (const run of runs) add(sum, run);
  return sum;
}

function add(sum: Totals, { code, report }: VitestRun): void {
  const failedBefore = sum.failed;
  for (const { name, status, assertionResults } of report?.testResults ?? []) {
    const count = (...wanted: string[]) => assertionResults.filter((result) => wanted.includes(result.status)).length;
    const failed = count("failed");
    const passed = count("passed");
    const skipped = assertionResults.length - failed - passed;
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
    if (status === "failed" && failed === 0) sum.failed++;
    if (skipped > 0) sum.skippedFiles.push({ file: name, count: skipped });
    for (const { status, fullName, failureMessages } of assertionResults) {
      const [message = ""] = failureMessages?.[0]?.split("\n") ?? [];
      if (status === "failed") sum.failedTests.push({ file: name, test: fullName, message });
    }
  }
  if ((code !== 0 || !report) && sum.failed === failedBefore) sum.failed++;
}
