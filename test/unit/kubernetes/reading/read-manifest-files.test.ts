import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InvalidManifestError } from "../../../../src/kubernetes/manifest/invalid-manifest-error.js";
import { readManifestFiles } from "../../../../src/kubernetes/reading/read-manifest-files.js";

let folder: string;
const pod = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "c", image: "i" }] },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-manifests-"));
  await mkdir(join(folder, "pods", "below"), { recursive: true });
  await mkdir(join(folder, "empty"));
  await writeFile(join(folder, "pods", "b.yml"), pod("b"));
  await writeFile(join(folder, "pods", "a.yaml"), `${pod("a1")}\n---\n${pod("a2")}\n`);
  await writeFile(join(folder, "pods", "c.json"), pod("c"));
  await writeFile(join(folder, "pods", "notes.txt"), "no manifest");
  await writeFile(join(folder, "pods", "below", "d.yaml"), pod("d"));
  await writeFile(join(folder, "bad.yaml"), "kind: Pod\napiVersion: v1\nmetadata: {name: A}\nspec: {}\n");
  await writeFile(join(folder, "huge.yaml"), "#".repeat(3 * 1024 * 1024 + 1));
});

afterAll(() => rm(folder, { recursive: true }));

const namesIn = async (paths: Parameters<typeof readManifestFiles>[0]) =>
  (await readManifestFiles(paths)).pods.map(({ metadata }) => metadata.name);

test("reads the manifests of a directory in the order of their names", async () => {
  expect(await namesIn(join(folder, "pods"))).toEqual(["a1", "a2", "b", "c"]);
});

test("reads files in the given order, also by URL", async () => {
  const url = pathToFileURL(join(folder, "pods", "a.yaml"));
  expect(await namesIn([join(folder, "pods", "c.json"), url])).toEqual(["c", "a1", "a2"]);
});

test("reports the faults of all files in one error", async () => {
  const paths = ["bad.yaml", "missing.yaml", "empty", "huge.yaml"].map((name) => join(folder, name));
  const error = (await readManifestFiles(paths).catch((caught) => caught)) as InvalidManifestError;
  expect(error).toBeInstanceOf(InvalidManifestError);
  expect(error.faults).toEqual([
    expect.objectContaining({ path: "metadata.name", file: paths[0], line: 3, column: 18 }),
    expect.objectContaining({ path: "spec.containers", message: "is required", file: paths[0], line: 4 }),
    { path: "", message: "does not exist", file: paths[1] },
    { path: "", message: "has no .yaml, .yml or .json files", file: paths[2] },
    { path: "", message: expect.stringContaining("at most 3145728 are read"), file: paths[3] },
  ]);
  expect(error.message).toContain(`(Pod A, ${paths[0]}:3:18)`);
});

test.each([
  [[], "paths"],
  ["", "paths"],
  [[5], "paths[0]"],
  [new URL("http://example.com/pod.yaml"), "paths"],
])("refuses the paths %j", async (paths, field) => {
  await expect(readManifestFiles(paths as never)).rejects.toMatchObject({ code: "INVALID_INPUT", field });
});

test("rejects with the reason of an aborted signal", async () => {
  const reason = new Error("enough");
  const reading = readManifestFiles(join(folder, "pods"), { signal: AbortSignal.abort(reason) });
  await expect(reading).rejects.toBe(reason);
});
