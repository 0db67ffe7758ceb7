/**
 * Checks the README and the guides in docs/. Their code compiles, runs and prints the output that they show. Their tables match the
 * code. Their commands and links exist.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeRuntime } from "k8s-cri-client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flavorTable, policyTable } from "./page-tables.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFile(join(root, path), "utf8");
const readme = await read("README.md");
const scripts: Record<string, string> = JSON.parse(await read("package.json")).scripts;

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The guides to one task each, with a program and the limits of each runtime. */
const guides = [
  "connecting",
  "lifecycle",
  "manifests",
  "images",
  "exec",
  "port-forward",
  "logs",
  "events",
  "stats",
  "errors",
  "timeouts",
].map((name) => `docs/${name}.md`);

interface Example {
  /** `testing-3` is the third example of docs/testing.md. */
  readonly name: string;
  readonly code: string;
  /** The `text` block after the code. */
  readonly output: string | undefined;
}

/** The first `text` block after an example and before the next block is its output. */
const exampleBlock = /^```ts\n(.*?)^```$(?:(?:(?!^```).)*?^```text\n(.*?)^```$)?/gms;

const examples: readonly Example[] = (
  await Promise.all(
    pages.map(async (page) => {
      const found = [...(await read(page)).matchAll(exampleBlock)];
      const name = page.replace(/^.*\/|\.md$/g, "");
      return found.map(([, code = "", output], index) => ({ name: `${name}-${index + 1}`, code, output }));
    }),
  )
).flat();

/** A project in which the package's name resolves to the sources. */
let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "cri-readme-"));
  await symlink(join(root, "node_modules"), join(project, "node_modules"));
  await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const paths = {
    "k8s-cri-client": [join(root, "src/index.ts")],
    "k8s-cri-client/kubernetes": [join(root, "src/kubernetes/index.ts")],
    "k8s-cri-client/crictl": [join(root, "src/crictl/index.ts")],
    "k8s-cri-client/prometheus": [join(root, "src/prometheus.ts")],
    "k8s-cri-client/proto": [join(root, "src/proto.ts")],
    "k8s-cri-client/testing": [join(root, "src/testing/index.ts")],
  };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions: { paths }, include: ["*.ts"] };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
  for (const { name, code } of examples) await writeFile(join(project, `${name}.ts`), code);
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

describe("the examples", () => {
  test("compile", async () => {
    expect(examples.length).toBeGreaterThan(30);
    const { stdout } = await node([join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
    expect(stdout).toBe("");
  });

  test("start with a short program that prints the output shown in the README, and cleans up", async () => {
    const [first] = examples;
    expect(first?.code.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    expect(first?.output).toBeDefined();
    await using runtime = await FakeRuntime.start();
    const env = { CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint };
    expect(await node(["--import", "tsx", "README-1.ts"], env)).toEqual({
      failed: false,
      stdout: first?.output,
      stderr: "",
    });
    expect({ pods: runtime.pods, containers: runtime.containers }).toEqual({ pods: [], containers: [] });
    const calls = ["RunPodSandbox", "PullImage", "StartContainer", "ExecSync", "RemoveContainer", "RemovePodSandbox"];
    expect(runtime.calls.map(({ rpc }) => rpc).filter((rpc) => calls.includes(rpc))).toEqual(calls);
  });

  // All examples run in one process, each with its own runtime, because starting a process takes far longer than running an
  // example.
  test("of the guides run, print the output shown in the guides, and do not keep the process alive", async () => {
    const rest = examples.slice(1);
    await writeFile(join(project, "run-all.ts"), runAll);
    const { failed, stdout, stderr } = await node(["--import", "tsx", "run-all.ts", ...rest.map(({ name }) => name)]);
    expect({ failed, stderr }).toEqual({ failed: false, stderr: "" });
    const printed = new Map(
      [...stdout.matchAll(/(.*?)^ran ([^\n]*)\n/gms)].map(([, output = "", name = ""]) => [name, output]),
    );
    expect([...printed.keys()]).toEqual(rest.map(({ name }) => name));
    for (const { name, output } of rest) if (output !== undefined) expect(printed.get(name), name).toBe(output);
  });
});

/** Runs the examples. Their containers are processes of this machine, and every port of a pod leads to one web server. */
const runAll = `
import { once } from "node:events";
import { createServer } from "node:http";
import { FakeRuntime, HostProcessBackend } from "k8s-cri-client/testing";

const server = createServer((_, response) => response.setHeader("server", "nginx").end()).listen(0, "127.0.0.1");
await once(server, "listening");
class Backend extends HostProcessBackend {
  portForward(pod) {
    return super.portForward(pod, server.address().port);
  }
}
const registryImages = [{ reference: "docker.io/library/nginx:1.29", command: ["sleep", "3600"] }];

for (const name of process.argv.slice(2)) {
  await using runtime = await FakeRuntime.start({ backend: new Backend(), registryImages });
  process.env.CONTAINER_RUNTIME_ENDPOINT = runtime.endpoint;
  await import(\`./\${name}.ts\`).catch((error) => console.error(name, error));
  console.log("ran", name);
}
server.closeAllConnections();
server.close();
`;

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

describe("the pages", () => {
  test("have the table of budgets and retries that the code defines", async () => {
    const page = await read("docs/timeouts.md");
    const table = /<!-- policies -->\n[^\n]*\n[^\n]*\n(.*)<!-- \/policies -->/s.exec(page)?.[1]?.trimEnd();
    expect(table).toBe(policyTable());
  });

  test.each([...pages, "CONTRIBUTING.md"])("have only commands and links that exist: %s", async (file) => {
    const content = await read(file);
    const commands = [...content.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    const links = [...content.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].map(([, path = "", anchor]) => ({
      target: path === "" ? file : join(dirname(file), path),
      anchor,
    }));
    expect(links.filter(({ target }) => !existsSync(join(root, target)))).toEqual([]);
    for (const { target, anchor } of links) {
      if (anchor === undefined) continue;
      const headings = [...(await read(target)).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title));
      expect(headings, target).toContain(anchor);
    }
  });

  test("are all linked in the README", () => {
    expect(pages.slice(1).filter((page) => !readme.includes(`](${page})`))).toEqual([]);
  });

  test("keep the README short: at most 160 lines of 120 characters", () => {
    const lines = readme.split("\n");
    expect(lines.length).toBeLessThanOrEqual(160);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test.each(guides)("begin with a complete program and end with the limits of each runtime: %s", async (guide) => {
    const content = await read(guide);
    expect(/^# [^`]*^```ts\n(.*?)^```$/ms.exec(content)?.[1]).toMatch(/^await using cri = /m);
    const headings = [...content.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(headings.at(-1)).toBe("Limits of each runtime");
  });

  test("have the table of flavours that the code defines", async () => {
    const table = /<!-- flavors -->\n(.*)<!-- \/flavors -->/s.exec(await read("docs/testing.md"))?.[1]?.trimEnd();
    expect(table).toBe(flavorTable());
  });

  test("name every member of FakeRuntime in docs/testing.md", async () => {
    const page = await read("docs/testing.md");
    const members = Object.getOwnPropertyNames(FakeRuntime.prototype).filter((name) => name !== "constructor");
    expect(members.length).toBeGreaterThan(20);
    expect(members.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  test("show the test command that CI runs", async () => {
    const command = /^```sh\n(npm ci && npm test)\n```$/m.exec(readme)?.[1];
    const lines = (await read(".ci/run")).split("\n").filter((line) => line.startsWith("npm "));
    expect(lines.join(" && ")).toBe(command);
  });

  test("explain every error code", async () => {
    const page = await read("docs/errors.md");
    const codes =
      /export type CriErrorCode =(.*?);/s.exec(await read("src/errors.ts"))?.[1]?.match(/[A-Z_]{4,}/g) ?? [];
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
  });
});
