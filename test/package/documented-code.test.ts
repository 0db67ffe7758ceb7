/** Compiles and runs all code in the README, the guides and the docstrings. */
import { join } from "node:path";
import { FakeRuntime } from "k8s-cri-client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docstringBlocks, pageExamples, root } from "./documented-code/blocks.js";
import { calls, onlyCompiled, runOnLabOnly } from "./documented-code/calls.js";
import { docstringProgram } from "./documented-code/docstring-context.js";
import { createProject, type Project } from "./documented-code/project.js";

const examples = pageExamples();
const tool = (name: string) => join(root, "test/package/documented-code", name);

/** The names that an example exports. */
const exportsOf = (code: string) =>
  [...code.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map(([, name = ""]) => name);

let project: Project;
beforeAll(async () => {
  project = await createProject(Object.fromEntries(examples.map(({ name, code }) => [`${name}.ts`, code])));
});
afterAll(() => project[Symbol.asyncDispose]());

describe("the examples of the README and the guides", () => {
  test("compile", async () => {
    expect(examples.length).toBeGreaterThan(0);
    expect(await project.compile()).toBe("");
  });

  test("are called, or have a reason why not", () => {
    const names = examples.flatMap(({ code }) => exportsOf(code));
    expect(new Set(names).size).toBe(names.length);
    expect([...Object.keys(calls), ...Object.keys(onlyCompiled)].sort()).toEqual(names.sort());
  });

  test("start with a short program that prints the output shown in the README, and cleans up", async () => {
    const [first] = examples;
    expect(first?.code.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    expect(first?.output).toBeDefined();
    await using runtime = await FakeRuntime.start();
    const env = { CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint };
    const finished = await project.run(["README-1.ts"], env);
    expect(finished).toEqual({ failed: false, stdout: first?.output, stderr: "" });
    expect({ pods: runtime.pods, containers: runtime.containers }).toEqual({ pods: [], containers: [] });
    const rpcs = ["RunPodSandbox", "PullImage", "StartContainer", "ExecSync", "RemoveContainer", "RemovePodSandbox"];
    expect(runtime.calls.map(({ rpc }) => rpc).filter((rpc) => rpcs.includes(rpc))).toEqual(rpcs);
  });

  test("run, print the output shown in the guides, and do not keep the process alive", async () => {
    const here = examples.filter(({ code }) => !exportsOf(code).some((name) => runOnLabOnly.includes(name)));
    // A subscriber of a channel prints the calls of all later examples in its process.
    const subscribers = here.filter(({ code }) => code.includes(".subscribe("));
    for (const group of [here.filter((example) => !subscribers.includes(example)), subscribers]) {
      const names = group.map(({ name }) => name);
      const { failed, stdout, stderr } = await project.run([tool("run-examples.ts"), ...names]);
      expect({ failed, stderr }).toEqual({ failed: false, stderr: "" });
      const printed = outputs(stdout);
      expect([...printed.keys()]).toEqual(names);
      for (const { name, output } of group) if (output !== undefined) expect(printed.get(name), name).toBe(output);
    }
  });
});

/** Code in docstrings that is only compiled, by what it contains, with the reason. */
const onlyCompiledDocstrings: Readonly<Record<string, string>> = {
  "pods.pruneLogs(":
    "removes the logs of this machine below /var/log/pods; test/integration/prune-logs.test.ts prunes others",
  "runManifest(":
    "uses the directories and cgroups of this machine; docs/manifests.md runs the function with other directories",
  "container.writeFile(":
    "writes to /etc, which is this machine's on the fake; the same call of docs/exec.md is run on the lab",
};

describe("the code in docstrings", () => {
  const blocks = docstringBlocks();
  const programs = blocks.map((block) => {
    // Loops over streams do not end by themselves.
    const suffix = /^for await (?!.*\.iterate)/m.test(block.code) ? ".endless" : "";
    return { ...block, name: `${block.file.replaceAll(/[/.]/g, "-")}-${block.line}${suffix}` };
  });
  const reasonOf = ({ code }: { code: string }) =>
    Object.keys(onlyCompiledDocstrings).filter((part) => code.includes(part));

  let project: Project;
  beforeAll(async () => {
    project = await createProject(
      Object.fromEntries(programs.map((program) => [`${program.name}.ts`, docstringProgram(program)])),
    );
  });
  afterAll(() => project[Symbol.asyncDispose]());

  test("is TypeScript and compiles", async () => {
    expect(programs.length).toBeGreaterThan(0);
    expect(blocks.filter(({ language }) => language !== "ts")).toEqual([]);
    expect(await project.compile()).toBe("");
  });

  test("runs, unless there is a reason why not", async () => {
    expect(new Set(programs.flatMap(reasonOf))).toEqual(new Set(Object.keys(onlyCompiledDocstrings)));
    const here = programs.filter((program) => reasonOf(program).length === 0).map(({ name }) => name);
    const { failed, stdout, stderr } = await project.run([tool("run-docstrings.ts"), ...here]);
    expect({ failed, stderr }).toEqual({ failed: false, stderr: "" });
    expect([...outputs(stdout).keys()]).toEqual(here);
  });
});

/** Returns the output of each program, by its name. */
function outputs(stdout: string): Map<string, string> {
  return new Map([...stdout.matchAll(/(.*?)^ran ([^\n]*)\n/gms)].map(([, output = "", name = ""]) => [name, output]));
}
