import { bunBinary, denoBinary, type NodeMajor, nodeBinary } from "../binaries.js";
import type { Cell, Group, Project } from "../cell.js";
import { checkResult, outside, withRuntime } from "../cell-folder.js";
import { versions } from "../versions.js";

const project: Project = { name: "runtimes", packages: {} };

/** A JavaScript runtime: its binary, and its arguments before the name of a program. */
interface Runtime {
  id: string;
  row: string;
  binary: string;
  args: readonly string[];
}

const runtimes: readonly Runtime[] = [
  ...Object.entries(versions.node).map(([major, version]) => {
    return { id: `node-${major}`, row: `Node.js ${version}`, binary: nodeBinary(major as NodeMajor), args: [] };
  }),
  { id: "bun", row: `Bun ${versions.bun}`, binary: bunBinary, args: ["run"] },
  { id: "deno", row: `Deno ${versions.deno}`, binary: denoBinary, args: ["run", "--allow-all"] },
];

const callInside = {
  module: 'import { inside } from "./inside.js";',
  commonjs: 'const { inside } = require("./inside.js");',
} as const;

const moduleTypes = { esm: ["module", "ES modules"], cjs: ["commonjs", "CommonJS"] } as const;

type Suffix = keyof typeof moduleTypes;

/** A cell for the client alone. */
function clientCell({ id, row, binary, args }: Runtime, suffix: Suffix): Cell {
  const [type, column] = moduleTypes[suffix];
  return {
    name: `${id}-${suffix}`,
    row,
    column,
    project,
    run: async (folder) => {
      await folder.writeJavaScript(type, outside);
      await folder.journey((env) => folder.run(folder.binary(binary), [...args, "main.js"], { env }));
    },
  };
}

/** A cell for client and FakeRuntime in one process. */
function fakeCell({ id, row, binary, args }: Runtime, suffix: Suffix): Cell {
  const [type, column] = moduleTypes[suffix];
  return {
    name: `${id}-${suffix}-fake`,
    row,
    column: `FakeRuntime in ${column}`,
    project,
    run: async (folder) => {
      await folder.writeJavaScript(type, withRuntime);
      await folder.write("all.js", `${callInside[type]}\ninside().then((result) => console.log(result));\n`);
      checkResult(await folder.run(folder.binary(binary), [...args, "all.js"]));
    },
  };
}

const suffixes = Object.keys(moduleTypes) as Suffix[];

export const runtimeGroup: Group = {
  title: "JavaScript runtimes",
  head: "runtime",
  cells: runtimes.flatMap((runtime) => [
    ...suffixes.map((suffix) => clientCell(runtime, suffix)),
    ...suffixes.map((suffix) => fakeCell(runtime, suffix)),
  ]),
};
