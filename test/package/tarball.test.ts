/**
 * Packs the package, checks the tarball, and installs it into new projects. Builds dist/.
 *
 *     npm run check:package
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
/** The entry points, each with an export. */
const subpaths = [
  ["k8s-cri-client", "CriClient"],
  ["k8s-cri-client/prometheus", "formatUsage"],
  ["k8s-cri-client/otel", "instrument"],
  ["k8s-cri-client/crictl", "fromCrictlPodConfig"],
  ["k8s-cri-client/kubernetes", "planPod"],
  ["k8s-cri-client/proto", "RuntimeServiceDefinition"],
  ["k8s-cri-client/testing", "FakeRuntime"],
] as const;

let folder: string;
let tarball: string;
let packed: { files: { path: string; size: number }[] };

interface Outcome {
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs a program. After a time limit, kills it and returns the code "SIGTERM". */
function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  // Removes variables that vitest sets for its own child processes.
  const { NODE_OPTIONS: _, VITEST: __, ...environment } = process.env;
  const env = { ...environment, NO_COLOR: "1", ...options.env };
  return new Promise((resolve) => {
    const settings = { cwd: options.cwd ?? root, env, timeout: 240_000, maxBuffer: 2 ** 26 };
    execFile(program, args, settings, (error, stdout, stderr) => {
      const { code = 0, signal } = (error ?? {}) as { code?: number; signal?: string };
      resolve({ code: signal ?? code, stdout, stderr });
    });
  });
}

const node = (args: string[], cwd: string, env: NodeJS.ProcessEnv = {}) => run(process.execPath, args, { cwd, env });
const success = { code: 0 };

/** Installs the package, the types of Node.js and other packages into a new project. Returns its folder. */
async function install(
  name: string,
  others: Record<string, string>,
  type: "module" | "commonjs" = "commonjs",
): Promise<string> {
  const project = join(folder, name);
  await mkdir(project);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type }));
  const packages = { "@types/node": manifest.devDependencies["@types/node"], ...others };
  const names = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  const { code, stderr } = await run("npm", ["install", ...options, tarball, ...names], { cwd: project });
  expect(code, stderr).toBe(0);
  return project;
}

const bin = (path: string) => join(root, "node_modules", path);

/** An example, the command that runs its tests, and the output if they pass. */
type TestExample = [file: string, command: readonly string[], summary: RegExp];

/** The examples in `examples/testing` by the type of their project. */
const testExamples: Record<"module" | "commonjs", TestExample[]> = {
  module: [
    ["deploy-once.vitest.test.ts", [bin("vitest/vitest.mjs"), "run"], /Tests +3 passed \(3\)/],
    ["fake-timers.node.test.mjs", ["--test", "--test-reporter=spec"], /^. pass 2$/m],
    ["reconcile.node.test.mjs", ["--test", "--test-reporter=spec"], /CHAOS_SEED=1\n(.*\n)*. pass 1\n/],
  ],
  commonjs: [
    ["drain.jest.test.cjs", [bin("jest/bin/jest.js"), "--rootDir=."], /Tests: +1 passed, 1 total/],
    ["fake-timers.jest.test.cjs", [bin("jest/bin/jest.js"), "--rootDir=."], /Tests: +2 passed, 2 total/],
  ],
};

/** Time limit of hooks that run npm, in milliseconds. */
const npmTimeoutMs = 240_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-package-"));
  const { code, stdout, stderr } = await run("npm", ["pack", "--json", "--silent", "--pack-destination", folder]);
  expect(code, stderr + stdout).toBe(0);
  // The output of prepack precedes the report.
  const [report] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  packed = report;
  tarball = join(folder, report.filename);
  const extracted = await run("tar", ["-xzf", tarball, "-C", folder]);
  expect(extracted, extracted.stderr).toMatchObject(success);
}, npmTimeoutMs);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the tarball", () => {
  const inPackage = (path: string) => readFile(join(folder, "package", path), "utf8");
  const paths = () => packed.files.map(({ path }) => path);
  /** The topmost folder of a path of which nothing is in the package. */
  const folderOutside = (path: string) => {
    const folders = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
    return folders.find((folder) => !paths().some((packed) => packed.startsWith(folder))) ?? path;
  };

  test("contains the files of the package and no others", () => {
    const kinds: Record<string, RegExp> = {
      code: /^dist\/src\/(.*\/)?[^/]+\.js$/,
      modules: /^dist\/src\/(proto|(\w+\/)?index)\.mjs$/,
      declarations: /^dist\/(src|generated)\/.*\.d\.m?ts$/,
    };
    for (const [kind, pattern] of Object.entries(kinds)) {
      expect(
        paths().filter((path) => pattern.test(path)),
        kind,
      ).not.toEqual([]);
    }
    const others = paths().filter((path) => !Object.values(kinds).some((pattern) => pattern.test(path)));
    expect(others.sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "dist/package.json",
      "package.json",
    ]);
  });

  test("has less than 3 MB without the fakes, installed", () => {
    const sizes = packed.files.map(({ path, size }) => (path.startsWith("dist/src/testing/") ? 0 : size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3_000_000);
  });

  test("has the declarations that its entry points need, and no others", async () => {
    const declarations = paths().filter((path) => /\.d\.m?ts$/.test(path));
    const needed = new Set(declarations.filter((path) => path.endsWith(".d.mts")));
    for (const path of needed) {
      for (const [, target = ""] of (await inPackage(path)).matchAll(/"(\.[^"]+)\.js"/g)) {
        needed.add(posix.join(dirname(path), `${target}.d.ts`));
      }
    }
    expect([...needed].sort()).toEqual(declarations.sort());
  });

  test("has JavaScript that V8 keeps with one byte per character", async () => {
    const code = paths().filter((path) => /\.m?js$/.test(path));
    const contents = await Promise.all(code.map(inPackage));
    expect(code.filter((_, index) => /[^\0-\xff]/.test(contents[index] ?? ""))).toEqual([]);
  });

  test("has declarations for TypeScript before 5.7, whose Buffer and typed arrays have no type parameter", async () => {
    const declarations = paths().filter((path) => path.endsWith(".d.ts"));
    const generic: string[] = [];
    for (const path of declarations) {
      if (/\b(Buffer|Uint8Array)</.test(await inPackage(path))) generic.push(path);
    }
    expect(declarations.length).toBeGreaterThan(100);
    expect(generic).toEqual([]);
  });

  test("contains the targets of all links of its pages, except those that the page says are in the repository only", async () => {
    const pages = paths().filter((path) => path.endsWith(".md"));
    expect(pages).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "SECURITY.md"]));
    for (const page of pages) {
      const text = await inPackage(page);
      const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, to = ""]) =>
        posix.join(dirname(page), to),
      );
      const missing = links.filter((path) => !paths().includes(path));
      const folders = new Set(missing.map(folderOutside));
      const statement = /((?:`[^`]+`(?:,| and)?\s)+)(?:is|are)\sin\sthe\srepository,\snot\sin\sthe\snpm\spackage/.exec(
        text,
      );
      const stated = [...(statement?.[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name);
      expect([...folders].sort(), page).toEqual(stated.sort());
      expect(
        missing.filter((path) => !existsSync(join(root, path))),
        page,
      ).toEqual([]);
    }
  });

  test("publint reports no problems", async () => {
    const { buffer, byteOffset, byteLength } = await readFile(tarball);
    const content = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const { messages, pkg } = await publint({ pack: { tarball: content }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("arethetypeswrong reports no problems", async () => {
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const options = ["--profile", "strict", "--format", "ascii", "--no-emoji", "--no-definitely-typed"];
    const { code, stdout, stderr } = await node([attw, tarball, ...options], folder);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout.split("\n").filter((line) => /^node1|^bundler/.test(line) && !/: OK/.test(line))).toEqual([]);
    const entries = Object.keys(manifest.exports).length;
    expect(stdout.match(/^node16.*: OK/gm)).toHaveLength(2 * entries);
    expect(stdout.match(/^node10.*: OK/gm)).toHaveLength(entries);
  });
});

describe("with the tools of a project", async () => {
  const page = await readFile(join(root, "docs/bundling.md"), "utf8");
  const commands = [...page.matchAll(/^npx (.*)$/gm)].map(([, command = ""]) => command);

  /** The oldest and the newest compilers that support module resolution of Node.js 10. */
  const compilers = { "typescript-5.4": "npm:typescript@5.4.5", "typescript-5.9": "npm:typescript@5.9.3" };
  let project: string;

  beforeAll(async () => {
    project = await install("tools", compilers, "module");
  }, npmTimeoutMs);

  test("docs/bundling.md has three commands", () => expect(commands).toHaveLength(3));

  test.each(commands)("a bundle runs: %s", async (command) => {
    await copyFile(join(root, "test/package/consumer/bundled.mjs"), join(project, "program.mjs"));
    const PATH = `${bin(".bin")}${delimiter}${process.env.PATH}`;
    const bundled = await run("sh", ["-c", command], { cwd: project, env: { PATH } });
    expect(bundled, bundled.stderr).toMatchObject(success);
    const [, output = ""] = /--(?:outfile=|dir )(\S+)/.exec(command) ?? [];
    const program = output.endsWith("js") ? output : join(output, "program.js");
    expect(await node([program], project)).toEqual({ ...success, stdout: "0 string\n", stderr: "" });
  });

  test("JSON.stringify writes 64-bit integers after an import of k8s-cri-client/proto without names", async () => {
    const program =
      'import "k8s-cri-client/proto";\nimport Long from "long";\nconsole.log(JSON.stringify(Long.MAX_VALUE));\n';
    await writeFile(join(project, "proto.mjs"), program);
    const options = ["--bundle", "--platform=node", "--format=esm", "--outfile=proto.bundle.mjs"];
    expect(await run(bin("esbuild/bin/esbuild"), ["proto.mjs", ...options], { cwd: project })).toMatchObject(success);
    expect(await node(["proto.bundle.mjs"], project)).toEqual({
      ...success,
      stdout: '"9223372036854775807"\n',
      stderr: "",
    });
  });

  test.each(Object.keys(compilers))(
    "%s finds the types of every entry point with the module resolution of Node.js 10",
    async (name) => {
      const names = subpaths.map(([path, main]) => `import { ${main} } from ${JSON.stringify(path)};\nvoid ${main};\n`);
      // In a project without "type", files are CommonJS.
      await writeFile(join(project, "old.cts"), names.join(""));
      const options = ["--noEmit", "--strict", "--esModuleInterop", "--skipLibCheck", "--module", "commonjs"];
      const tsc = join(project, "node_modules", name, "bin/tsc");
      const compiled = await node([tsc, ...options, "--target", "es2022", "old.cts"], project);
      expect(compiled).toEqual({ ...success, stdout: "", stderr: "" });
    },
  );
});

test(
  "npm installs the package without warnings, except for one that every package with grpc-js causes",
  async () => {
    const project = join(folder, "warnings");
    await mkdir(project);
    await writeFile(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    const options = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=warn"];
    const { code, stdout, stderr } = await run("npm", ["install", ...options, tarball], { cwd: project });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^\s*added \d+ packages in \S+\s*$/);
    // npm 11.16 and newer names packages with install scripts. grpc-js depends on protobufjs, whose script only prints advice.
    const isKnown = (line: string) =>
      /^npm warn install-scripts(?!.*\((?:pre|post)?install:)|protobufjs@7\S+ \(postinstall/.test(line);
    expect(stderr.split("\n").filter((line) => line !== "" && !isKnown(line))).toEqual([]);
    const script = await readFile(join(project, "node_modules/protobufjs/scripts/postinstall.js"), "utf8");
    expect(script).not.toMatch(/child_process|https?"|writeFile/);
  },
  npmTimeoutMs,
);

test("every file in examples/testing is tested", async () => {
  const run = Object.values(testExamples).flatMap((examples) => examples.map(([file]) => file));
  expect(await readdir(join(root, "examples/testing"))).toEqual(run.sort());
});

describe.each([
  { type: "module" as const, load: (name: string) => `await import(${JSON.stringify(name)})` },
  { type: "commonjs" as const, load: (name: string) => `require(${JSON.stringify(name)})` },
])("installed into a bare project of type $type", ({ type, load }) => {
  let project: string;

  beforeAll(async () => {
    project = await install(type, {}, type);
    await symlink(bin("vitest"), join(project, "node_modules/vitest"));
  }, npmTimeoutMs);

  test("k8s-cri-client/otel needs @opentelemetry/api, and the error says so", async () => {
    await writeFile(join(project, "otel.cjs"), `(async () => ${load("k8s-cri-client/otel")})();`);
    const { code, stderr } = await node(["otel.cjs"], project);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot find (package|module) '@opentelemetry\/api'/);
  });

  // The others load although no optional package is installed.
  test.each(subpaths)("%s loads without the modules that are loaded on first use", async (name, mainExport) => {
    if (name === "k8s-cri-client/otel")
      await symlink(bin("@opentelemetry"), join(project, "node_modules/@opentelemetry"));
    const sessionModules = /node_modules.(ws|commander)\b|chunks.(log-reader|remote-command|port-forward)/;
    const lazyModules =
      {
        // FakeRuntime serves sessions, so it loads their modules at once.
        "k8s-cri-client/testing": /node_modules.(yaml|commander)\b/,
        // Their functions parse YAML synchronously.
        "k8s-cri-client/crictl": sessionModules,
        "k8s-cri-client/kubernetes": sessionModules,
      }[name as string] ?? new RegExp(`node_modules.yaml\\b|${sessionModules.source}`);
    const program = `
      (async () => {
        const loaded = ${load(name)};
        const exports = Object.keys(loaded);
        const missing = exports.filter((key) => loaded[key] === undefined);
        const early = Object.keys(require.cache).filter((path) => ${lazyModules}.test(path));
        console.log(JSON.stringify({ exports, missing, early }));
      })();`;
    await writeFile(join(project, "load.cjs"), program);
    const { stdout, ...rest } = await node(["load.cjs"], project);
    const { exports, missing, early } = JSON.parse(stdout);
    expect({ ...rest, missing, early }).toEqual({ ...success, stderr: "", missing: [], early: [] });
    expect(exports).toContain(mainExport);
  });

  test("the command runs", async () => {
    const command = join(project, "node_modules/.bin/k8s-cri-client");
    const version = await run(command, ["--version"], { cwd: project });
    expect(version).toEqual({ ...success, stdout: `${manifest.version}\n`, stderr: "" });
    const help = await run(command, ["--help"], { cwd: project });
    expect(help).toMatchObject({ ...success, stderr: "", stdout: expect.stringContaining("list containers") });
    const ps = await run(command, ["ps", "--endpoint", join(project, "none.sock")], { cwd: project });
    expect(ps).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("none.sock") });
    expect(ps.stderr).not.toContain("    at ");
  });

  test("the command adds one package, without dependencies, to those of the client", async () => {
    const lock = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8"));
    const { dependencies } = lock.packages["node_modules/commander"];
    expect(dependencies).toBeUndefined();
  });

  test("yaml is loaded to read a configuration file", async () => {
    await writeFile(join(project, "crictl.yaml"), "runtime-endpoint: unix:///run/x.sock\n");
    const program = `
      (async () => {
        const { loadCrictlConfig } = ${load("k8s-cri-client")};
        const { runtimeEndpoint } = await loadCrictlConfig("crictl.yaml");
        const yaml = Object.keys(require.cache).some((path) => /node_modules.yaml/.test(path));
        console.log(JSON.stringify({ runtimeEndpoint, yaml }));
      })();`;
    await writeFile(join(project, "config.cjs"), program);
    const { stdout, stderr } = await node(["config.cjs"], project);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ runtimeEndpoint: "unix:///run/x.sock", yaml: true });
  });

  test("a program compiles, runs and exits by itself", async () => {
    await copyFile(join(root, "test/package/consumer/program.ts"), join(project, "program.ts"));
    const compilerOptions = {
      target: "es2022",
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: ["node"],
      rootDir: ".",
      outDir: "out",
    };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const compiled = await node([join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
    expect(compiled).toEqual({ ...success, stdout: "", stderr: "" });
    expect(await node(["out/program.js"], project)).toEqual({ ...success, stdout: "done\n", stderr: "" });
  });

  test.each(testExamples[type])("examples/testing/%s passes", async (file, command, summary) => {
    await copyFile(join(root, "examples/testing", file), join(project, file));
    const { code, stdout, stderr } = await node([...command, file], project, { CHAOS_SEED: "1" });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout + stderr).toMatch(summary);
  });

  test("a program with an unknown option does not compile", async () => {
    await writeFile(
      join(project, "wrong.ts"),
      `import { CriClient } from "k8s-cri-client";\nCriClient.lazy({ endpoint: "/x", timeoutSeconds: 1 });\n`,
    );
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    const { code, stdout } = await node(
      [join(root, "node_modules/typescript/bin/tsc"), "--ignoreConfig", ...options, "wrong.ts"],
      project,
    );
    expect(code).not.toBe(0);
    expect(stdout).toContain("'timeoutSeconds' does not exist");
  });

  test("import and require return the same objects", async () => {
    const program = `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      for (const name of ${JSON.stringify(subpaths.map(([path]) => path))}) {
        const [imported, required] = [await import(name), require(name)];
        const names = Object.keys(required);
        if (!names.every((one) => imported[one] === required[one])) console.log(name, "has copies");
        if (String(Object.keys(imported)) !== String(names.sort())) console.log(name, "has other exports");
      }`;
    const api = join(project, "node_modules/@opentelemetry");
    if (!existsSync(api)) await symlink(bin("@opentelemetry"), api);
    await writeFile(join(project, "copies.mjs"), program);
    expect(await node(["copies.mjs"], project)).toEqual({ ...success, stdout: "", stderr: "" });
  });
});
