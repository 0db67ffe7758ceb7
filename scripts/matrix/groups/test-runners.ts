import { nodeBinary, toolNode } from "../binaries.js";
import type { Cell, Group, Project } from "../cell.js";
import { type CellFolder, type ModuleType, withRuntime } from "../cell-folder.js";
import { versions } from "../versions.js";

const { jest, vitest } = versions;
const project: Project = { name: "test-runners", packages: { jest, vitest } };

/** How a test runner runs the file `journey.test.js`. */
interface Runner {
  id: string;
  row: string;
  types: readonly ModuleType[];
  /** The arguments of Node.js. */
  args: (folder: CellFolder, type: ModuleType) => readonly string[];
  /** The package with `test`; jest has it as a global. */
  testPackage?: string | undefined;
}

const runners: readonly Runner[] = [
  {
    id: "vitest",
    row: `vitest ${vitest}`,
    types: ["module"],
    args: (folder) => [folder.installed("vitest/vitest.mjs"), "run", "--testTimeout=120000", "journey.test.js"],
    testPackage: "vitest",
  },
  {
    id: "jest",
    row: `jest ${jest}`,
    types: ["module", "commonjs"],
    args: (folder, type) => [
      ...(type === "module" ? ["--experimental-vm-modules"] : []),
      folder.installed("jest/bin/jest.js"),
      "--rootDir=.",
      "--testTimeout=120000",
      "journey.test.js",
    ],
  },
  {
    id: "node-test",
    row: `node:test of Node.js ${versions.node[toolNode]}`,
    types: ["module", "commonjs"],
    args: () => ["--test", "journey.test.js"],
    testPackage: "node:test",
  },
];

const columns: Record<ModuleType, string> = { module: "ES modules", commonjs: "CommonJS" };

function testSource(type: ModuleType, testPackage: string | undefined): string {
  const load = (names: string, from: string) =>
    type === "module" ? `import ${names} from "${from}";` : `const ${names} = require("${from}");`;
  return [
    load("assert", "node:assert/strict"),
    ...(testPackage === undefined ? [] : [load("{ test }", testPackage)]),
    load("{ inside }", "./inside.js"),
    load("{ expected }", "./runtime.js"),
    'test("the journey", async () => assert.equal(await inside(), expected));\n',
  ].join("\n");
}

async function runTest(folder: CellFolder, { args, testPackage }: Runner, type: ModuleType): Promise<void> {
  await folder.writeJavaScript(type, withRuntime);
  await folder.write("journey.test.js", testSource(type, testPackage));
  await folder.run(folder.binary(nodeBinary(toolNode)), args(folder, type));
}

export const testRunnerGroup: Group = {
  title: "Test runners, with FakeRuntime in the test",
  head: "test runner",
  cells: runners.flatMap((runner) =>
    runner.types.map(
      (type): Cell => ({
        name: `${runner.id}-${type === "module" ? "esm" : "cjs"}`,
        row: runner.row,
        column: columns[type],
        project,
        run: (folder) => runTest(folder, runner, type),
      }),
    ),
  ),
};
