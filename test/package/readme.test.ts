/**
 * The README holds: its code compiles and runs, its table is the one in the code, its commands and links exist.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { callPolicies } from "k8s-cri-client";
import { FakeRuntime } from "k8s-cri-client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFile(join(root, path), "utf8");
const readme = await read("README.md");
const scripts: Record<string, string> = JSON.parse(await read("package.json")).scripts;
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

/** A project of its own in which the package's name leads to the sources. */
let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "cri-readme-"));
  await symlink(join(root, "node_modules"), join(project, "node_modules"));
  await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const paths = {
    "k8s-cri-client": [join(root, "src/index.ts")],
    "k8s-cri-client/prometheus": [join(root, "src/prometheus.ts")],
    "k8s-cri-client/proto": [join(root, "src/proto.ts")],
    "k8s-cri-client/testing": [join(root, "src/testing/index.ts")],
  };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions: { paths }, include: ["*.ts"] };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
  for (const [index, code] of blocks.entries()) await writeFile(join(project, `block-${index + 1}.ts`), code);
});
afterAll(() => rm(project, { recursive: true, force: true }));

function node(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ failed: boolean; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: project, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, stdout, stderr });
    });
  });
}

/** Runs a block as a user would, with the endpoint where `connect()` looks for it. */
function runBlock(number: number, endpoint: string) {
  return node(["--import", "tsx", `block-${number}.ts`], { CONTAINER_RUNTIME_ENDPOINT: endpoint });
}

describe("the code in the README", () => {
  test("compiles", async () => {
    expect(blocks.length).toBeGreaterThan(5);
    const { stdout } = await node([join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
    expect(stdout).toBe("");
  });

  test("the first example is short, runs, and leaves nothing", async () => {
    expect(blocks[0]?.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    await using runtime = await FakeRuntime.start();
    expect(await runBlock(1, runtime.endpoint)).toEqual({ failed: false, stdout: "0 hello\n\n", stderr: "" });
    expect({ pods: runtime.pods, containers: runtime.containers }).toEqual({ pods: [], containers: [] });
    const calls = ["RunPodSandbox", "PullImage", "StartContainer", "ExecSync", "RemoveContainer", "RemovePodSandbox"];
    expect(runtime.calls.map(({ rpc }) => rpc).filter((rpc) => calls.includes(rpc))).toEqual(calls);
  });

  test.each(blocks.slice(1).map((_, index) => index + 2))("example %i runs", async (number) => {
    await using runtime = await FakeRuntime.start();
    expect(await runBlock(number, runtime.endpoint)).toMatchObject({ failed: false, stderr: "" });
  });
});

/** The default budget by what it is without and with a timeout of five minutes in the request, in minutes. */
const budgets: Record<string, string> = {
  "2 2": "2 min",
  "4 4": "4 min",
  "2 7": "2 min and the grace period",
  "2 5": "2 min, or the checkpoint's own timeout if that is longer",
  "none 7": "none; with `commandTimeoutSeconds`, 2 min more than that",
  "none none": "none",
};

function policyTable(): string {
  const rows = new Map<string, string[]>();
  for (const [rpc, policy] of Object.entries(callPolicies)) {
    const budgetMs = policy.budgetMs as (baseMs: number, request: object) => number | undefined;
    const minutes = (request: object) => {
      const ms = budgetMs(120_000, request);
      return ms === undefined ? "none" : String(ms / 60_000);
    };
    const budget = budgets[`${minutes({})} ${minutes({ timeout: 300 })}`];
    if (budget === undefined) throw new Error(`There are no words for the budget of ${rpc}.`);
    const row = `| ${budget} | ${policy.retry} |`;
    rows.set(row, [...(rows.get(row) ?? []), rpc.split("/")[1] ?? ""]);
  }
  return [...rows].map(([row, rpcs]) => `${row} ${rpcs.join(", ")} |`).join("\n");
}

describe("what the README says", () => {
  test("the table of budgets and retries is the one in the code", () => {
    const table = /<!-- policies -->\n[^\n]*\n[^\n]*\n(.*)<!-- \/policies -->/s.exec(readme)?.[1]?.trimEnd();
    expect(table).toBe(policyTable());
  });

  test.each(["README.md", "CONTRIBUTING.md"])("the commands and links of %s exist", async (file) => {
    const text = await read(file);
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = ""]) => path);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("CI runs the README's test command", async () => {
    const command = /^```sh\n(npm ci && npm test)\n```$/m.exec(readme)?.[1];
    const lines = (await read(".ci/run")).split("\n").filter((line) => line.startsWith("npm "));
    expect(lines.join(" && ")).toBe(command);
  });

  test("every error code is explained", async () => {
    const codes =
      /export type CriErrorCode =(.*?);/s.exec(await read("src/errors.ts"))?.[1]?.match(/[A-Z_]{4,}/g) ?? [];
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !readme.includes(`| \`${code}\` |`))).toEqual([]);
  });
});
