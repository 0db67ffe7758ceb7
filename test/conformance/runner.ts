/**
 * Holds the journeys against the table of known differences: what is not to be run is taken out, what is known to fail has to.
 *
 * @module
 */
import { basename } from "node:path";
import { type RunnerTask, type RunnerTestCase, type RunnerTestFile, type RunnerTestSuite, TestRunner } from "vitest";
import { providedRuntimes, titleOf } from "../runtime/support.js";
import { type KnownDifference, knownDifferences } from "./known-differences.js";

export default class ConformanceRunner extends TestRunner {
  readonly #toFail = new Map<string, KnownDifference>();

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
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
    const known = this.#toFail.get(task.id);
    if (known && task.result) judge(task.result, known);
    super.onAfterRunTask(task);
  }

  #apply(file: RunnerTestFile): void {
    const name = basename(file.filepath, ".test.ts");
    const entries = knownDifferences.filter((entry) => entry.file === name);
    const wrong: string[] = [];
    for (const runtime of providedRuntimes().runtimes) {
      const suite = file.tasks.find(({ name }) => name === titleOf(runtime));
      const tests = suite?.type === "suite" ? testsIn(suite) : [];
      const known = new Map<RunnerTestCase, KnownDifference>();
      for (const entry of entries.filter(({ flavors }) => flavors?.includes(runtime.flavor!) ?? true)) {
        for (const pattern of entry.tests) {
          const meant = tests.filter((test) => fits(nameOf(test), pattern));
          if (meant.length === 0) wrong.push(`no journey of ${runtime.flavor} is called ${pattern}`);
          for (const test of meant) {
            if (known.has(test)) wrong.push(`${nameOf(test)} is named twice`);
            known.set(test, entry);
          }
        }
      }
      for (const [test, entry] of known) {
        if (entry.kind === "differs") this.#toFail.set(test.id, entry);
        else remove(test);
      }
    }
    if (wrong.length > 0) fail(file, `known-differences.ts: ${[...new Set(wrong)].join("; ")}`);
  }
}

/** A journey that is known to differ passes by failing in the way that is known. */
function judge(result: NonNullable<RunnerTask["result"]>, { says }: KnownDifference): void {
  const messages = result.errors?.map(({ message }) => message) ?? [];
  if (result.state === "pass") {
    Object.assign(result, failure("the fake has learned this: take the journey out of known-differences.ts"));
  } else if (says && messages.some((message) => says.test(message))) {
    result.state = "pass";
    delete result.errors;
  } else {
    result.errors?.unshift(...failure(`this is known to differ, but with other words: ${says}`).errors);
  }
}

function failure(message: string) {
  return { state: "fail" as const, errors: [{ name: "Error", message, stacks: [] }] };
}

function fail(file: RunnerTestFile, message: string): void {
  file.result = failure(message);
}

function testsIn(suite: RunnerTestSuite): RunnerTestCase[] {
  return suite.tasks.flatMap((task) => (task.type === "suite" ? testsIn(task) : [task]));
}

/** Below the runtime and the theme. */
function nameOf(test: RunnerTestCase): string {
  const names: string[] = [test.name];
  for (let suite = test.suite; suite; suite = suite.suite) names.unshift(suite.name);
  return names.slice(2).join(" > ");
}

function fits(name: string, pattern: string | RegExp): boolean {
  return typeof pattern === "string" ? name === pattern : pattern.test(name);
}

function remove(test: RunnerTestCase): void {
  const { tasks } = test.suite ?? test.file;
  tasks.splice(tasks.indexOf(test), 1);
}
