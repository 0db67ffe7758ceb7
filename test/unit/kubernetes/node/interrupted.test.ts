/** Preparing a pod that fails or is killed before any of its steps, and removing one that is killed: nothing is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { readMounts } from "../../../../src/internal/machine/mount-table.js";
import { listPodDirectories, removePodDirectory } from "../../../../src/kubernetes/node/pod-record.js";
import { prepareVolumes } from "../../../../src/kubernetes/node/prepare-volumes.js";
import { removeDirectory } from "../../../../src/kubernetes/node/remove-directory.js";
import type { VolumePlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { thorough } from "../../../support/thorough.js";
import { beforeStep } from "./interrupt-steps.js";
import { diskPlan, notRoot, temporaryFolder, volumePath } from "./support.js";

/** Every n-th step is tried. A step takes up to a second on a busy machine. */
const stride = thorough ? 1 : 11;

const timeout = 300_000;

function planOf(root: string) {
  const files = [{ path: "dir/key", content: Buffer.from("value"), mode: 0o644 }];
  const volumes: VolumePlan[] = [
    { kind: "emptyDir", name: "disk", path: volumePath(root, "empty-dir", "disk"), medium: "disk", fsGroup: 2000 },
    { kind: "emptyDir", name: "memory", path: volumePath(root, "empty-dir", "memory"), medium: "memory" },
    {
      kind: "files",
      name: "config",
      source: "configMap",
      path: volumePath(root, "configmap", "config"),
      files,
      fsGroup: 3000,
    },
    { kind: "files", name: "secret", source: "secret", path: volumePath(root, "secret", "secret"), files },
  ];
  return diskPlan(root, volumes);
}

async function expectNothing(root: string): Promise<void> {
  expect(await readdir(join(root, "pods"))).toEqual([]);
  expect((await readMounts()).filter(({ path }) => path.startsWith(root))).toEqual([]);
}

test.skipIf(notRoot)("a failure before any step is reported and leaves nothing", { timeout }, async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, "pods"));
  for (let step = 1, isDone = false; !isDone; step += stride) {
    isDone = true;
    const restore = beforeStep(step, () => {
      isDone = false;
      throw Object.assign(new Error("EIO: injected"), { code: "EIO", syscall: "injected" });
    });
    const failure = await prepareVolumes(planOf(root))
      .catch((error) => error)
      .finally(restore);
    if (isDone) break;
    expect.soft(failure, `step ${step}`).toMatchObject({ code: "FAILED_PRECONDITION", suppressed: [] });
    await expectNothing(root);
  }
  await removeDirectory(planOf(root).podDirectory);
  await expectNothing(root);
});

/** Runs a function of this file's child program in a process that is killed before a step. Returns whether it was killed. */
async function killedBefore(step: number, program: string, root: string): Promise<boolean> {
  const child = spawn(process.execPath, [program, String(step), root], { stdio: "inherit" });
  const [exitCode, signal] = await once(child, "exit");
  if (signal !== "SIGKILL") expect(exitCode).toBe(0);
  return signal === "SIGKILL";
}

/** Bundles a program that calls a function of the package's sources. */
async function programOf(root: string, name: string, call: string): Promise<string> {
  const source = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  const outfile = join(root, `${name}.mjs`);
  const contents = `
    import { beforeStep } from ${source("./interrupt-steps.ts")};
    import { ${name} } from ${source(`../../../../src/kubernetes/node/${call}.ts`)};
    const [, , step, argument] = process.argv;
    beforeStep(Number(step), () => process.kill(process.pid, "SIGKILL"));
    const revived = (key, value) => (key === "content" ? Buffer.from(value.data) : value);
    await ${name}(JSON.parse(argument, revived));
  `;
  const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" } as const;
  await build({
    ...{ stdin, outfile, bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "error" },
    // Bundled CommonJS modules call require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return outfile;
}

/** What removes the pod of the tests, or what is left of it. */
const removal = (root: string) => ({ podsDirectory: join(root, "pods"), namespace: "shop", name: "web" });

test.skipIf(notRoot)(
  "a pod whose preparation was killed before any step is found and removed",
  { timeout },
  async () => {
    const root = await temporaryFolder();
    const program = await programOf(root, "prepareVolumes", "prepare-volumes");
    const plan = planOf(root);
    for (let step = 1; await killedBefore(step, program, JSON.stringify(plan)); step += stride) {
      if (!existsSync(join(root, "pods"))) continue;
      const left = await listPodDirectories({ rootDirectory: root });
      // A directory in its place has a record, by which another version of the document finds it.
      for (const { record } of left) expect(record).toMatchObject({ namespace: "shop", name: "web", uid: plan.uid });
      await removePodDirectory({ ...removal(root), podDirectory: left[0]?.podDirectory });
      await expectNothing(root);
    }
  },
);

test.skipIf(notRoot)(
  "a pod whose preparation was killed before any step is completed by the next one",
  { timeout },
  async () => {
    const root = await temporaryFolder();
    const program = await programOf(root, "prepareVolumes", "prepare-volumes");
    const plan = planOf(root);
    for (let step = 1; await killedBefore(step, program, JSON.stringify(plan)); step += stride) {
      await prepareVolumes(plan);
      expect(await readFile(join(volumePath(root, "secret", "secret"), "dir/key"), "utf8")).toBe("value");
      expect(await readFile(join(volumePath(root, "configmap", "config"), "dir/key"), "utf8")).toBe("value");
      await removeDirectory(plan.podDirectory);
      await expectNothing(root);
    }
  },
);

test.skipIf(notRoot)(
  "a pod whose removal was killed before any step is removed by the next one",
  { timeout },
  async () => {
    const root = await temporaryFolder();
    const program = await programOf(root, "removePodDirectory", "pod-record");
    const plan = planOf(root);
    for (let step = 1, isKilled = true; isKilled; step += stride) {
      await prepareVolumes(plan);
      isKilled = await killedBefore(
        step,
        program,
        JSON.stringify({ ...removal(root), podDirectory: plan.podDirectory }),
      );
      const left = await listPodDirectories({ rootDirectory: root });
      for (const { record } of left) expect(record).toMatchObject({ namespace: "shop", name: "web" });
      await removePodDirectory({ ...removal(root), podDirectory: left[0]?.podDirectory });
      await expectNothing(root);
    }
  },
);
