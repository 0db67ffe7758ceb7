/** Runs the recipes, and functions of the guides that write into containers, on a real runtime. */
import { join } from "node:path";
import { runManifest } from "k8s-cri-client/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageBlocks, pageExamples, root } from "../package/documented-code/blocks.js";
import { runOnLabOnly } from "../package/documented-code/calls.js";
import { createProject, type Project } from "../package/documented-code/project.js";
import { journeyNode } from "./helpers/journey-node.js";
import { type Fixture, journeys } from "./helpers/journeys.js";

const examples = pageExamples().filter(
  ({ name, code }) =>
    name.startsWith("recipes-") || runOnLabOnly.some((exported) => code.includes(`function ${exported}(`)),
);

journeys("documented-code", define, { newestOnly: true });

function define({ cri, runtime, image }: Fixture): void {
  let project: Project;
  beforeAll(async () => {
    project = await createProject(Object.fromEntries(examples.map(({ name, code }) => [`${name}.ts`, code])));
  });
  afterAll(() => project[Symbol.asyncDispose]());

  test("the recipes and functions of the guides run, and leave nothing", async () => {
    const runner = join(root, "test/package/documented-code/run-examples.ts");
    const options = ["--endpoint", runtime.endpoint, "--image", runtime.image];
    const { stderr, stdout } = await project.run([runner, ...options, ...examples.map(({ name }) => name)]);
    expect(stderr).toBe("");
    expect(stdout.match(/(?<=^ran ).*$/gm)).toEqual(examples.map(({ name }) => name));
  });

  test("the manifests of the guides run and become ready", async () => {
    const manifests = pageBlocks("yaml").filter(({ code }) => /^kind: Pod$/m.test(code));
    expect(manifests.length).toBeGreaterThan(0);
    await using node = await journeyNode({ cgroupsPerQos: false });
    for (const { code } of manifests) {
      await using pod = await runManifest(cri, code.replace(/(?<=image: ).*/g, image), { node: node.config });
      await pod.waitReady({ timeoutMs: 60_000 });
    }
  });
}
