/**
 * Applies the table of known differences: removes journeys that must not run, and passes journeys that fail as expected.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type RunnerTask, type RunnerTestCase, type RunnerTestFile, type RunnerTestSuite, TestRunner } from "vitest";
import { closingTest } from "../runtime/helpers/journeys.js";
import { providedRuntimes, titleOf } from "../runtime/support.js";
import { thorough } from "../support/thorough.js";
import { type ConformingFlavor, usualFlavors } from "./flavors.js";
import { knownDifferences } from "./known-differences.js";
import { type FileCounts, pagePath, rowOf } from "./page.js";
import { matchDifferences, problemWith } from "./verdict.js";

/** The folder for the counts, which write-page.ts sets. If it is set, the runner counts the journeys and runs none. */
const countsFolder = process.env.CRI_CONFORMANCE_COUNTS;

export default class ConformanceRunner extends TestRunner {
  readonly #expectedFailures = new Map<string, RegExp>();

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    if (countsFolder) this.config.passWithNoTests = true;
    // Vitest replaces this method with one that reports the collected tests. The table must be applied before that.
    let report: ((files: RunnerTestFile[]) => unknown) | undefined;
    Object.defineProperty(this, "onCollected", {
      get: () =>
        report &&
        ((files: RunnerTestFile[]) => {
          for (const file of files) this.#apply(file);
          return report?.(files);
        }),
      set: (patched) => {
        report = patched;
      },
    });
  }

  override onAfterRunTask(task: RunnerTask): void {
    const pattern = this.#expectedFailures.get(task.id);
    if (pattern && task.result) invert(task.result, pattern);
    super.onAfterRunTask(task);
  }

  #apply(file: RunnerTestFile): void {
    const { runtimes } = providedRuntimes();
    if (file.result?.state === "fail" || runtimes.length === 0) return;
    const name = basename(file.filepath, ".test.ts");
    const entries = knownDifferences.filter((entry) => entry.file === name);
    const problems = new Set<string>();
    const counts: FileCounts = { file: name, byFlavor: {} as FileCounts["byFlavor"] };
    for (const runtime of runtimes) {
      const flavor = runtime.flavor as ConformingFlavor;
      const suite = file.tasks.find(({ name }) => name === titleOf(runtime)) as RunnerTestSuite | undefined;
      const tests = suite ? testsIn(suite) : [];
      const { known, problems: found } = matchDifferences(tests.map(nameOf), flavor, entries);
      for (const problem of found) problems.add(`known-differences.ts: ${problem}`);
      counts.byFlavor[flavor] = { agreeing: tests.length - known.size, all: tests.length };
      if (suite && (countsFolder || !(thorough || usualFlavors(name).includes(flavor)))) remove(suite);
      for (const test of tests) {
        const outcome = known.get(nameOf(test))?.outcome;
        if (outcome === "notRun") remove(test);
        else if (outcome) this.#expectedFailures.set(test.id, outcome);
      }
    }
    if (countsFolder) writeFileSync(join(countsFolder, `${name}.json`), JSON.stringify(counts));
    else if (!readFileSync(pagePath, "utf8").includes(`\n${rowOf(counts)}\n`)) {
      problems.add("docs/conformance.md is out of date: run `npm run conformance:page` and review the changes");
    }
    if (problems.size > 0) file.result = failure([...problems].join("; "));
  }
}

/** Marks a journey as passed if it failed with the expected error message, and as failed otherwise. */
function invert(result: NonNullable<RunnerTask["result"]>, pattern: RegExp): void {
  const messages = result.errors?.map(({ message }) => message) ?? [];
  const problem = problemWith({ failed: result.state === "fail", messages }, pattern);
  if (problem) {
    const { state, errors } = failure(problem);
    Object.assign(result, { state, errors: [...errors, ...(result.errors ?? [])] });
  } else {
    result.state = "pass";
    delete result.errors;
  }
}

function failure(message: string) {
  return { state: "fail" as const, errors: [{ name: "Error", message, stacks: [] }] };
}

/** Lists all tests except the closing test of each file, which is not a journey. */
function testsIn(suite: RunnerTestSuite): RunnerTestCase[] {
  const tests = suite.tasks.flatMap((task) => (task.type === "suite" ? testsIn(task) : [task]));
  return tests.filter(({ name }) => name !== closingTest);
}

/** Returns the title of a test without the names of the runtime and the theme. */
function nameOf(test: RunnerTestCase): string {
  const names: string[] = [test.name];
  for (let { suite } = test; suite; { suite } = suite) names.unshift(suite.name);
  return names.slice(2).join(" > ");
}

/** Removes a task, and its suite if that is then empty. */
function remove(task: RunnerTestCase | RunnerTestSuite): void {
  const parent = task.suite ?? task.file;
  parent.tasks.splice(parent.tasks.indexOf(task), 1);
  if (parent.tasks.length === 0 && parent !== task.file) remove(parent);
}
