/**
 * Checks SECURITY.md: the named tests exist, the dependencies are those of the package, and no script runs on installation. Checks
 * that the workflows match its description.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFile(join(root, path), "utf8");
const text = await read("SECURITY.md");
const manifest = JSON.parse(await read("package.json"));
const locked: Record<string, { dev?: boolean; hasInstallScript?: boolean }> = JSON.parse(
  await read("package-lock.json"),
).packages;

interface Job {
  permissions?: Record<string, string>;
  needs?: string;
  uses?: string;
  "timeout-minutes"?: number;
  container?: unknown;
  strategy?: { matrix: Record<string, unknown[]> };
  env?: Record<string, unknown>;
  steps?: { uses?: string; run?: string; with?: Record<string, unknown> }[];
}
interface Workflow {
  concurrency?: unknown;
  on: unknown;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}
const workflow = async (name: string): Promise<Workflow> => parse(await read(`.github/workflows/${name}.yml`));

/** Returns the rows of the table under a heading. */
function rowsUnder(heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return section.split("\n").filter((line) => line.startsWith("| ") && !/^\| (prevented|secret|package) \|/.test(line));
}

describe("SECURITY.md", () => {
  test("names tests that exist", async () => {
    const named = [...text.matchAll(/\]\((test\/[^)]+)\): "([^"]+)"/g)];
    expect(named.length).toBeGreaterThan(25);
    for (const [, path = "", title = ""] of named) {
      expect((await read(path)).replaceAll('\\"', "'"), `${path} has no test "${title}"`).toContain(title);
    }
  });

  test.each(["Who attacks", "How secrets are kept"])("has a test for each row of: %s", (heading) => {
    const rows = rowsUnder(heading);
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((row) => !/\]\(test\/[^)]+\): "[^"]+" \|$/.test(row))).toEqual([]);
  });

  test("has rows for each attacker", () => {
    const attackers = (text.split(/^## /m).find((part) => part.startsWith("Who attacks")) ?? "")
      .split(/^### /m)
      .slice(1);
    expect(attackers.map((part) => part.split("\n", 1)[0])).toEqual([
      "What runs in a container",
      "A streaming server",
      "A runtime, or another program on its socket",
      "Another local user",
      "An image registry",
      "A tenant's pull secret",
      "A credential helper",
      "A Pod from a manifest",
      "An attacker on the network",
      "Your own program",
    ]);
    expect(attackers.filter((part) => !part.includes("](test/"))).toEqual([]);
  });

  test("links only to files that exist", () => {
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(25);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("lists the dependencies of the package", () => {
    const listed = rowsUnder("Supply chain").map((row) => /^\| `([^`]+)`/.exec(row)?.[1]);
    expect(listed.sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test("names the only dependency with an installation script", () => {
    const own = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name));
    expect(own).toEqual([]);
    const others = Object.entries(locked)
      .filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev)
      .map(([path]) => path.replace(/^.*node_modules\//, ""));
    expect(others).toEqual(["protobufjs"]);
    expect(text).toContain("(`protobufjs`, by way of `@grpc/grpc-js`)");
  });

  test("names all places that start programs, and states correctly that nothing is downloaded", async () => {
    const files = (await readdir(join(root, "src"), { recursive: true })).filter((name) => name.endsWith(".ts"));
    const starting: string[] = [];
    for (const file of files) {
      const code = await read(join("src", file));
      if (/child_process|worker_threads|\bfetch\(|\beval\(|new Function\(/.test(code)) starting.push(file);
    }
    expect(starting.sort()).toEqual([
      join("credentials", "run-program.ts"),
      join("kubernetes", "node", "system-program.ts"),
      join("testing", "backend", "host-process.ts"),
    ]);
  });
});

describe("docs/reliability.md", async () => {
  const promises = (await read("docs/reliability.md")).split("\n").filter((line) => line.includes("](../test/"));

  test("names tests that exist", async () => {
    const named = promises.flatMap((line) => [...line.matchAll(/\]\(\.\.\/(test\/[^)]+)\): "([^"]+)" \|$/g)]);
    expect(named.length).toBeGreaterThan(15);
    for (const [, path = "", title = ""] of named) {
      expect((await read(path)).replaceAll('\\"', "'"), `${path} has no test "${title}"`).toContain(title);
    }
  });
});

describe("the workflow that publishes", () => {
  test("runs for releases only, each job with the permissions that it needs", async () => {
    const { on, permissions, jobs } = await workflow("publish");
    expect(on).toEqual({ release: { types: ["published"] } });
    expect(permissions).toEqual({});
    expect(jobs.test?.permissions).toEqual({ contents: "read" });
    expect(jobs.pack?.permissions).toEqual({ contents: "read" });
    expect(jobs.publish?.permissions).toEqual({ "id-token": "write" });
    expect(jobs["release-notes"]?.permissions).toEqual({ contents: "write" });
    expect(Object.keys(jobs)).toEqual(["test", "matrix", "pack", "publish", "release-notes"]);
  });

  test("publishes only after the whole suite and the matrix have passed", async () => {
    const { jobs } = await workflow("publish");
    expect(jobs.test).toEqual({ uses: "./.github/workflows/test.yml", permissions: { contents: "read" } });
    expect(jobs.matrix).toEqual({ uses: "./.github/workflows/matrix.yml", permissions: { contents: "read" } });
    expect(jobs.pack?.needs).toEqual(["test", "matrix"]);
    expect(jobs.publish?.needs).toBe("pack");
    expect(jobs["release-notes"]?.needs).toBe("publish");
  });

  test("builds without the permission to publish", async () => {
    const { pack } = (await workflow("publish")).jobs;
    const commands = (pack?.steps ?? []).flatMap(({ run = [] }) => run);
    expect(commands.filter((command) => command.startsWith("npm "))).toEqual([
      "npm ci --ignore-scripts",
      "npm run build",
      'npm run repository -- "$GITHUB_REPOSITORY"',
      "npm pack --ignore-scripts",
      `npm run --silent release-notes -- "\${GITHUB_REF_NAME#v}" > release-notes.md`,
    ]);
  });

  test("publishes the tarball with provenance, and runs nothing but npm with that permission", async () => {
    const steps = (await workflow("publish")).jobs.publish?.steps ?? [];
    expect(steps.flatMap(({ run = [] }) => run)).toEqual([
      "npm publish ./k8s-cri-client-*.tgz --provenance --access public --ignore-scripts",
    ]);
    expect(steps.flatMap(({ uses = [] }) => uses).map((action) => action.replace(/@.*/, ""))).toEqual([
      "actions/setup-node",
      "actions/download-artifact",
    ]);
  });

  test("has no token but the one that GitHub makes for the release notes, and names no registry", async () => {
    const text = await read(".github/workflows/publish.yml");
    expect(text).not.toMatch(/secrets\.|https?:\/\//);
    expect(text.match(/^.*TOKEN.*$/gm)).toEqual([`          GH_TOKEN: \${{ github.token }}`]);
    const { pack, publish, "release-notes": notes } = (await workflow("publish")).jobs;
    // The job that may write to the repository runs nothing of it.
    expect(notes?.steps?.flatMap(({ run = [] }) => run)).toEqual([
      'gh release edit "$GITHUB_REF_NAME" --repo "$GITHUB_REPOSITORY" --notes-file release-notes.md',
    ]);
    for (const { uses = "", with: inputs = {} } of [...(pack?.steps ?? []), ...(publish?.steps ?? [])]) {
      expect(inputs).not.toHaveProperty("registry-url");
      if (uses.startsWith("actions/checkout")) expect(inputs).toMatchObject({ "persist-credentials": false });
    }
  });
});

describe("all workflows", async () => {
  const names = (await readdir(join(root, ".github/workflows"))).map((file) => file.replace(/\.yml$/, ""));
  const all = await Promise.all(names.map(async (name) => ({ name, ...(await workflow(name)) })));
  const commands = ({ steps = [] }: Job) => steps.flatMap(({ run = [] }) => run);
  const supported = Number(manifest.engines.node.match(/\d+/)[0]);

  test("name actions by commit", async () => {
    for (const name of names) {
      const uses = [...(await read(`.github/workflows/${name}.yml`)).matchAll(/uses: (.*)/g)].map(
        ([, action]) => action,
      );
      const allowed = /^(actions\/[\w-]+@[0-9a-f]{40} # v[\d.]+|\.\/\.github\/workflows\/[\w-]+\.yml)$/;
      expect(uses.filter((action) => !allowed.test(action ?? ""))).toEqual([]);
    }
  });

  test("have no permission to write, and a time limit for every job", () => {
    for (const { name, permissions, jobs } of all) {
      expect(permissions, name).toEqual(name === "publish" ? {} : { contents: "read" });
      for (const [job, { uses, "timeout-minutes": minutes }] of Object.entries(jobs)) {
        if (uses === undefined) expect(minutes, `${name}: ${job}`).toBeGreaterThan(0);
      }
    }
  });

  test("run once for each change, and are cancelled by the next push", async () => {
    const { on, concurrency } = await workflow("ci");
    expect(on).toEqual({ push: { branches: ["main"] }, pull_request: null });
    expect(concurrency).toEqual({ group: `\${{ github.workflow }}-\${{ github.ref }}`, "cancel-in-progress": true });
  });

  test("run the whole suite on every supported Node.js, with skipped tests as failures", async () => {
    const { linux } = (await workflow("test")).jobs;
    expect(commands(linux ?? {})).toContain(".ci/run");
    expect(linux?.env).toEqual({ CRI_TEST_REQUIRED: 1 });
    expect(linux?.strategy?.matrix.node).toEqual([supported, 22, 24, 26]);
    expect(commands((await workflow("weekly")).jobs["newest-grpc"] ?? {})).toContain("npm test");
    expect((await workflow("ci")).jobs.test?.uses).toBe("./.github/workflows/test.yml");
  });

  test("build the site of a release for GitHub Pages, and deploy nothing", async () => {
    const { on, jobs } = await workflow("docs");
    expect(on).toEqual({ release: { types: ["published"] }, workflow_dispatch: null });
    expect(Object.keys(jobs)).toEqual(["build"]);
    expect(commands(jobs.build ?? {}).at(-1)).toMatch(/^npm run docs -- --base "\/\$\{GITHUB_REPOSITORY#\*\/\}\/"$/);
    expect(manifest.scripts).toHaveProperty("docs");
  });

  test("run the unit and integration tests on macOS and Windows, in projects that exist", async () => {
    const { desktop } = (await workflow("test")).jobs;
    expect(desktop?.strategy?.matrix.node).toEqual([supported, 22, 24, 26]);
    expect(desktop?.strategy?.matrix.os).toEqual([
      expect.stringMatching(/^macos-/),
      expect.stringMatching(/^windows-/),
    ]);
    const run = commands(desktop ?? {}).find((command) => command.includes("vitest"));
    const projects = [...(run ?? "").matchAll(/--project (\w+)/g)].map(([, project]) => project);
    expect(projects).toEqual(["unit", "integration", "alone"]);
    const known = await read("vitest.config.ts");
    for (const project of projects) expect(known).toContain(`name: "${project}"`);
  });
});
