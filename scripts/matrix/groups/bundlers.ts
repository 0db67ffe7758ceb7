import { nodeBinary, toolNode } from "../binaries.js";
import type { Cell, Group, Project } from "../cell.js";
import { type CellFolder, type ModuleType, outside } from "../cell-folder.js";
import { versions } from "../versions.js";

const { esbuild, rollup, rollupPlugins, rolldown, vite, webpack } = versions;

const project: Project = {
  name: "bundlers",
  packages: { esbuild, rollup, ...rollupPlugins, rolldown, vite, webpack, "webpack-cli": versions["webpack-cli"] },
};

/** Arguments for a bundler, and the file that it writes. */
interface Bundle {
  args: readonly string[];
  /** A configuration file, by name. */
  config?: readonly [name: string, content: string] | undefined;
  output: string;
}

interface Bundler {
  id: string;
  row: string;
  /** The program of the bundler in `node_modules`. It is a binary or a script for Node.js. */
  program: string;
  isBinary?: boolean | undefined;
  formats: Partial<Record<ModuleType, Bundle>>;
}

/** Defines `require` in an ES module. */
const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const rollupConfig = `
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
export default { input: "main.js", plugins: [nodeResolve({ preferBuiltins: true }), commonjs(), json()] };
`;

const viteConfig = (format: string) => `
export default {
  ssr: { noExternal: true },
  build: { ssr: "main.js", outDir: "bundle", rollupOptions: { output: { format: "${format}", entryFileNames: "main.js" } } },
};
`;

const webpackConfig = (isModule: boolean) => `
module.exports = {
  mode: "production",
  optimization: { minimize: false },
  target: "node",
  entry: "./main.js",
  experiments: { outputModule: ${isModule} },
  output: { path: __dirname + "/bundle", filename: "main.js", ${isModule ? 'library: { type: "module" }, chunkFormat: "module"' : ""} },
};
`;

const bundlers: readonly Bundler[] = [
  {
    id: "esbuild",
    row: `esbuild ${esbuild}`,
    program: "esbuild/bin/esbuild",
    isBinary: true,
    formats: {
      module: {
        args: [
          "main.js",
          "--bundle",
          "--platform=node",
          "--format=esm",
          "--outfile=bundle/main.js",
          `--banner:js=${banner}`,
        ],
        output: "bundle/main.js",
      },
      commonjs: {
        args: ["main.js", "--bundle", "--platform=node", "--format=cjs", "--outfile=bundle/main.js"],
        output: "bundle/main.js",
      },
    },
  },
  {
    id: "rollup",
    row: `rollup ${rollup}`,
    program: "rollup/dist/bin/rollup",
    formats: {
      module: {
        args: ["-c", "--format=es", "--dir=bundle"],
        config: ["rollup.config.mjs", rollupConfig],
        output: "bundle/main.js",
      },
      commonjs: {
        args: ["-c", "--format=cjs", "--dir=bundle"],
        config: ["rollup.config.mjs", rollupConfig],
        output: "bundle/main.js",
      },
    },
  },
  {
    id: "rolldown",
    row: `rolldown ${rolldown}`,
    program: "rolldown/bin/cli.mjs",
    formats: {
      module: { args: ["main.js", "--platform=node", "--format=esm", "--dir=bundle"], output: "bundle/main.js" },
      commonjs: { args: ["main.js", "--platform=node", "--format=cjs", "--dir=bundle"], output: "bundle/main.js" },
    },
  },
  {
    id: "vite",
    row: `Vite ${vite} (SSR)`,
    program: "vite/bin/vite.js",
    formats: {
      module: { args: ["build"], config: ["vite.config.mjs", viteConfig("es")], output: "bundle/main.js" },
      commonjs: { args: ["build"], config: ["vite.config.mjs", viteConfig("cjs")], output: "bundle/main.js" },
    },
  },
  {
    id: "webpack",
    row: `webpack ${webpack}`,
    program: "webpack/bin/webpack.js",
    formats: {
      module: {
        args: ["-c", "webpack.config.cjs"],
        config: ["webpack.config.cjs", webpackConfig(true)],
        output: "bundle/main.js",
      },
      commonjs: {
        args: ["-c", "webpack.config.cjs"],
        config: ["webpack.config.cjs", webpackConfig(false)],
        output: "bundle/main.js",
      },
    },
  },
];

const columns: Record<ModuleType, string> = { module: "ES modules", commonjs: "CommonJS" };

async function bundleAndRun(folder: CellFolder, { program, isBinary }: Bundler, type: ModuleType, bundle: Bundle) {
  // The source consists of ES modules; the type of the folder is that of the bundle.
  await folder.writeJavaScript("module", outside);
  if (bundle.config) await folder.write(...bundle.config);
  const node = folder.binary(nodeBinary(toolNode));
  const path = folder.installed(program);
  await folder.run(isBinary ? path : node, [...(isBinary ? [] : [path]), ...bundle.args]);
  await folder.write("bundle/package.json", { private: true, type });
  await folder.journey((env) => folder.run(node, [bundle.output], { env }));
}

export const bundlerGroup: Group = {
  title: "Bundlers",
  head: "bundler",
  cells: bundlers.flatMap((bundler) =>
    (Object.entries(bundler.formats) as [ModuleType, Bundle][]).map(
      ([type, bundle]): Cell => ({
        name: `${bundler.id}-${type === "module" ? "esm" : "cjs"}`,
        row: bundler.row,
        column: columns[type],
        project,
        run: (folder) => bundleAndRun(folder, bundler, type, bundle),
      }),
    ),
  ),
};
