import { readFile } from "node:fs/promises";
import { nodeBinary, toolNode } from "../binaries.js";
import type { Cell, Group, Limit, Project } from "../cell.js";
import { type CellFolder, outside } from "../cell-folder.js";
import { versions } from "../versions.js";

type Release = keyof typeof versions.typescript;

const compilers = Object.entries(versions.typescript) as [Release, string][];
const folderOf = (release: Release) => `typescript-${release}`;

const project: Project = {
  name: "typescript",
  packages: {
    "@types/node": versions.nodeTypes,
    ...versions.peers,
    ...Object.fromEntries(compilers.map(([release, version]) => [folderOf(release), `npm:typescript@${version}`])),
  },
};

/** The module settings of each column. */
const resolutions = {
  node16: { module: "node16", moduleResolution: "node16" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
  node10: { module: "commonjs", moduleResolution: "node10" },
} as const;

type Resolution = keyof typeof resolutions;

/** Compiles and runs the consumer, and a module that exports everything of every entry point. */
async function compileAndRun(folder: CellFolder, release: Release, resolution: Resolution, skipLibCheck: boolean) {
  const type = resolution === "node10" ? "commonjs" : "module";
  const bothFormats = resolution === "node16" || resolution === "nodenext";
  await folder.writeTypeScript(outside);
  const entries = await entryPoints(folder);
  await folder.write("entries.ts", entries);
  if (bothFormats) await folder.write("required.cts", entries);
  await folder.write("package.json", { private: true, type });
  const compilerOptions = {
    ...resolutions[resolution],
    target: "es2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    esModuleInterop: true,
    skipLibCheck,
    types: ["node"],
    rootDir: ".",
    outDir: "out",
    // TypeScript 6 supports node10 only with this statement.
    ...(resolution === "node10" && release === "6.0" ? { ignoreDeprecations: "6.0" } : {}),
  };
  const files = ["main.ts", "entries.ts", ...(bothFormats ? ["required.cts"] : [])];
  await folder.write("tsconfig.json", { compilerOptions, files });
  const node = folder.binary(nodeBinary(toolNode));
  await folder.run(node, [folder.installed(`${folderOf(release)}/bin/tsc`), "-p", "."]);
  await folder.journey((env) => folder.run(node, ["out/main.js"], { env }));
}

/** Returns a module that exports all entry points of the installed package. */
async function entryPoints(folder: CellFolder): Promise<string> {
  const manifest = JSON.parse(await readFile(folder.installed("k8s-cri-client/package.json"), "utf8"));
  const paths = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
  return paths
    .map((path, index) => `export * as entry${index} from ${JSON.stringify(`k8s-cri-client${path.slice(1)}`)};\n`)
    .join("");
}

/** Releases whose `Uint8Array` has no type parameter. */
const withoutGenericArrays: readonly Release[] = ["5.4", "5.5", "5.6"];

function limitOf(release: Release, resolution: Resolution): Limit | undefined {
  if (resolution === "node10" && release === "7.0") {
    return {
      status: "no",
      note: "TypeScript 7 has no `node10` any more: `error TS5108: Option 'moduleResolution=node10' has been removed`.",
      error: /TS5108: Option 'moduleResolution=node10' has been removed/,
    };
  }
  if (!withoutGenericArrays.includes(release)) return undefined;
  return {
    status: "with `skipLibCheck`",
    note:
      "The types of `@bufbuild/protobuf` need TypeScript 5.7: `error TS2315: Type 'Uint8Array' is not generic`. " +
      "With 5.4 and `bundler`, those of `@grpc/grpc-js` fail as well (`TS2709`). With `skipLibCheck: true`, everything compiles.",
    error: /^(?!.*k8s-cri-client\/dist).*@bufbuild\/protobuf\/\S+ error TS2315: Type 'Uint8Array' is not generic/s,
    instead: (folder) => compileAndRun(folder, release, resolution, true),
  };
}

function cellsOf(release: Release, version: string): Cell[] {
  return (Object.keys(resolutions) as Resolution[]).map((resolution) => ({
    name: `typescript-${release}-${resolution}`,
    row: `TypeScript ${version}`,
    column: `\`${resolution}\``,
    project,
    run: (folder) => compileAndRun(folder, release, resolution, false),
    limit: limitOf(release, resolution),
  }));
}

export const typescriptGroup: Group = {
  title: "Compilers",
  head: "`moduleResolution`",
  cells: compilers.flatMap(([release, version]) => cellsOf(release, version)),
};
