import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./blocks.js";

/** A temporary project in which the package's name resolves to the sources. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** Compiles all files of the project. Returns the messages of the compiler. */
  compile(): Promise<string>;
  /** Runs a TypeScript file in the project: one of the project, or one of this folder by its absolute path. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished>;
}

export interface Finished {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Creates a project with these files. */
export async function createProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "cri-documented-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const config = { extends: join(root, "tsconfig.json"), compilerOptions: { paths: await paths() }, include: ["*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  for (const [name, code] of Object.entries(files)) await writeFile(join(folder, name), code);
  return {
    folder,
    compile: async () => (await node(folder, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."])).stdout,
    run: (args, env) => node(folder, ["--import", "tsx", ...args], env),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Returns the entry points of the root's tsconfig.json, as absolute paths. */
async function paths(): Promise<Record<string, string[]>> {
  const block = /"paths": (\{.*?\})/s.exec(await readFile(join(root, "tsconfig.json"), "utf8"))?.[1] ?? "";
  const entries = Object.entries(JSON.parse(block) as Record<string, string[]>);
  return Object.fromEntries(entries.map(([name, files]) => [name, files.map((file) => join(root, file))]));
}

function node(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 240_000 };
    const child = execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ failed: error !== null, stdout, stderr });
    });
    child.stdin?.end();
  });
}
