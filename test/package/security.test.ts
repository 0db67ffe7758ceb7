/**
 * SECURITY.md holds: the tests it names exist, its dependencies are the package's, nothing runs on installation, and the workflows
 * do what it says and no more.
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

interface Workflow {
  on: unknown;
  permissions: Record<string, string>;
  jobs: Record<
    string,
    { permissions?: Record<string, string>; steps: { uses?: string; run?: string; with?: Record<string, unknown> }[] }
  >;
}
const workflow = async (name: string): Promise<Workflow> => parse(await read(`.github/workflows/${name}.yml`));

/** The rows of the table under a heading. */
function rowsUnder(heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (refused|secret|package|who) \|/.test(line));
}

describe("SECURITY.md", () => {
  test("names tests that exist", async () => {
    const named = [...text.matchAll(/\]\((test\/[^)]+)\): "([^"]+)"/g)];
    expect(named.length).toBeGreaterThan(25);
    for (const [, path = "", title = ""] of named) {
      expect((await read(path)).replaceAll('\\"', "'"), `${path} has no test "${title}"`).toContain(title);
    }
  });

  test.each(["What is refused by default", "How secrets are kept"])("has a test for each row of: %s", (heading) => {
    const rows = rowsUnder(heading);
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.filter((row) => !/\]\(test\/[^)]+\): "[^"]+" \|$/.test(row))).toEqual([]);
  });

  test("has links that lead somewhere, and none to another site", () => {
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(25);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("lists the dependencies of the package", () => {
    const listed = rowsUnder("Supply chain").map((row) => /^\| `([^`]+)`/.exec(row)?.[1]);
    expect(listed.sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test("is right about scripts on installation", () => {
    const own = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name));
    expect(own).toEqual([]);
    const others = Object.entries(locked)
      .filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev)
      .map(([path]) => path.replace(/^.*node_modules\//, ""));
    expect(others).toEqual(["protobufjs"]);
    expect(text).toContain("(`protobufjs`, by way of `@grpc/grpc-js`)");
  });

  test("is right about programs and downloads: only the host processes of a fake are started", async () => {
    const files = (await readdir(join(root, "src"), { recursive: true })).filter((name) => name.endsWith(".ts"));
    const starting: string[] = [];
    for (const file of files) {
      const code = await read(join("src", file));
      if (/child_process|worker_threads|\bfetch\(|\beval\(|new Function\(/.test(code)) starting.push(file);
    }
    expect(starting).toEqual([join("testing", "backend", "host-process.ts")]);
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
  test("runs for releases only, and may do no more than read and prove who it is", async () => {
    const { on, permissions, jobs } = await workflow("publish");
    expect(on).toEqual({ release: { types: ["published"] } });
    expect(permissions).toEqual({});
    expect(Object.values(jobs).map((job) => job.permissions)).toEqual([{ contents: "read", "id-token": "write" }]);
  });

  test("lets no program of a dependency run, tests, builds, and publishes with provenance", async () => {
    const steps = (await workflow("publish")).jobs.publish?.steps ?? [];
    const commands = steps.flatMap(({ run = [] }) => run);
    expect(commands.filter((command) => /^npm (ci|test|run|publish)/.test(command))).toEqual([
      "npm ci --ignore-scripts",
      "npm test",
      "npm run build",
      "npm publish --provenance --access public --ignore-scripts",
    ]);
  });

  test("has no token and names no registry", async () => {
    expect(await read(".github/workflows/publish.yml")).not.toMatch(/secrets\.|TOKEN|https?:\/\//);
    for (const { uses = "", with: inputs = {} } of (await workflow("publish")).jobs.publish?.steps ?? []) {
      expect(inputs).not.toHaveProperty("registry-url");
      if (uses.startsWith("actions/checkout")) expect(inputs).toMatchObject({ "persist-credentials": false });
    }
  });
});

describe("all workflows", () => {
  test("name actions by commit", async () => {
    for (const file of await readdir(join(root, ".github/workflows"))) {
      const uses = [...(await read(`.github/workflows/${file}`)).matchAll(/uses: (.*)/g)].map(([, action]) => action);
      expect(uses.filter((action) => !/^actions\/[\w-]+@[0-9a-f]{40} # v[\d.]+$/.test(action ?? ""))).toEqual([]);
    }
  });

  test("may write nothing, and test what is tested here", async () => {
    const { permissions, jobs } = await workflow("ci");
    expect(permissions).toEqual({ contents: "read" });
    const steps = Object.values(jobs).flatMap((job) => job.steps);
    expect(steps.flatMap(({ run = [] }) => run)).toEqual([".ci/run"]);
    expect(await read(".github/workflows/ci.yml")).toContain(`node: [${manifest.engines.node.match(/\d+/)[0]}, `);
  });
});
