/**
 * Holds the journeys against the table of known differences: what is not to be run is taken out, what is known to fail has to.
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
import { complaintAbout, knownAmong } from "./verdict.js";

/** Set by write-page.ts, to a folder for the counts; then nothing is run. */
const countsFolder = process.env.CRI_CONFORMANCE_COUNTS;

export default class ConformanceRunner extends TestRunner {
  readonly #toFail = new Map<string, RegExp>();

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    if (countsFolder) this.config.passWithNoTests = true;
    // Vitest puts a function of its own in front of this one, which tells the reporters of the tests: the table comes before that.
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
    const words = this.#toFail.get(task.id);
    if (words && task.result) judge(task.result, words);
    super.onAfterRunTask(task);
  }

  #apply(file: RunnerTestFile): void {
    const { runtimes } = providedRuntimes();
    if (file.result?.state === "fail" || runtimes.length === 0) return;
    const name = basename(file.filepath, ".test.ts");
    const entries = knownDifferences.filter((entry) => entry.file === name);
    const complaints = new Set<string>();
    const counts: FileCounts = { file: name, byFlavor: {} as FileCounts["byFlavor"] };
    for (const runtime of runtimes) {
      const flavor = runtime.flavor as ConformingFlavor;
      const suite = file.tasks.find(({ name }) => name === titleOf(runtime)) as RunnerTestSuite | undefined;
      const tests = suite ? testsIn(suite) : [];
      const { known, complaints: about } = knownAmong(tests.map(nameOf), flavor, entries);
      for (const complaint of about) complaints.add(`known-differences.ts: ${complaint}`);
      counts.byFlavor[flavor] = { agreeing: tests.length - known.size, all: tests.length };
      if (suite && (countsFolder || !(thorough || usualFlavors(name).includes(flavor)))) remove(suite);
      for (const test of tests) {
        const outcome = known.get(nameOf(test))?.outcome;
        if (outcome === "notRun") remove(test);
        else if (outcome) this.#toFail.set(test.id, outcome);
      }
    }
    if (countsFolder) writeFileSync(join(countsFolder, `${name}.json`), JSON.stringify(counts));
    else if (!readFileSync(pagePath, "utf8").includes(`\n${rowOf(counts)}\n`)) {
      complaints.add("docs/conformance.md counts otherwise: `npm run conformance:page`, and look at what has changed");
    }
    if (complaints.size > 0) file.result = failure([...complaints].join("; "));
  }
}

/** A journey that is known to differ passes by failing with the words that are known. */
function judge(result: NonNullable<RunnerTask["result"]>, words: RegExp): void {
  const messages = result.errors?.map(({ message }) => message) ?? [];
  const complaint = complaintAbout({ failed: result.state === "fail", messages }, words);
  if (complaint) {
    const { state, errors } = failure(complaint);
    Object.assign(result, { state, errors: [...errors, ...(result.errors ?? [])] });
  } else {
    result.state = "pass";
    delete result.errors;
  }
}

function failure(message: string) {
  return { state: "fail" as const, errors: [{ name: "Error", message, stacks: [] }] };
}

/** Without the one that closes every file, which is no journey. */
function testsIn(suite: RunnerTestSuite): RunnerTestCase[] {
  const tests = suite.tasks.flatMap((task) => (task.type === "suite" ? testsIn(task) : [task]));
  return tests.filter(({ name }) => name !== closingTest);
}

/** Below the runtime and the theme. */
function nameOf(test: RunnerTestCase): string {
  const names: string[] = [test.name];
  for (let { suite } = test; suite; { suite } = suite) names.unshift(suite.name);
  return names.slice(2).join(" > ");
}

/** Takes a task out, and a suite that has nothing else in it. */
function remove(task: RunnerTestCase | RunnerTestSuite): void {
  const parent = task.suite ?? task.file;
  parent.tasks.splice(parent.tasks.indexOf(task), 1);
  if (parent.tasks.length === 0 && parent !== task.file) remove(parent);
}
