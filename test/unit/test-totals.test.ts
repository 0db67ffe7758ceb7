import { describe, expect, test } from "vitest";
import { totals } from "../../scripts/lib/test-totals.js";

const file = (name: string, status: string, ...results: string[]) => ({
  name,
  status,
  assertionResults: results.map((result, index) => ({
    status: result,
    fullName: `test ${index}`,
    failureMessages: result === "failed" ? ["Error: 1 is not 2\n    at line 1"] : [],
  })),
});

describe("totals of npm test", () => {
  test("counts checks and tests", () => {
    const testResults = [
      file("a", "passed", "passed", "passed", "pending"),
      file("b", "failed", "failed", "passed", "todo"),
    ];
    expect(totals([true, false, true], [{ code: 1, report: { testResults } }])).toEqual({
      passed: 5,
      failed: 2,
      skipped: 2,
      skippedFiles: [
        { file: "a", count: 1 },
        { file: "b", count: 1 },
      ],
      failedTests: [{ file: "b", test: "test 0", message: "Error: 1 is not 2" }],
    });
  });

  test("a file that cannot be loaded is a failure", () => {
    const testResults = [file("a", "failed"), file("b", "passed", "passed")];
    expect(totals([], [{ code: 1, report: { testResults } }])).toMatchObject({ passed: 1, failed: 1 });
  });

  test("a file whose setup failed is a failure, even if its tests were skipped", () => {
    const testResults = [file("a", "failed", "skipped", "skipped")];
    expect(totals([], [{ code: 1, report: { testResults } }])).toMatchObject({ passed: 0, failed: 1, skipped: 2 });
  });

  test("an error outside of tests is a failure", () => {
    expect(totals([false], [{ code: 1, report: { testResults: [file("a", "passed", "passed")] } }])).toMatchObject({
      passed: 1,
      failed: 2,
    });
  });

  test("sums up several runs, and a failed run stays a failure", () => {
    const good = { code: 0, report: { testResults: [file("a", "passed", "passed", "pending")] } };
    expect(totals([true], [good, { ...good, code: 1 }])).toMatchObject({ passed: 3, failed: 1, skipped: 2 });
  });

  test.each([0, 1, null])("no report is a failure, with exit code %s", (code) => {
    expect(totals([true], [{ code, report: undefined }])).toMatchObject({ passed: 1, failed: 1 });
  });
});
