/** Folders for logs: those of nested log paths, which CRI-O and Docker expect to exist, and the log directories of pods. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OwnedPodSandbox } from "../../src/index.js";
import { removeLogDirectory } from "../../src/resources/log-folder.js";
import type { FakeFlavor } from "../../src/testing/index.js";
import { Connection } from "../../src/transport/connection.js";
import { type Endpoint, parseEndpoint } from "../../src/transport/endpoint.js";
import { rejection, startFake } from "./support.js";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cri-logs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function podWithLogs(flavor: FakeFlavor) {
  const folder = await temporaryFolder();
  const { runtime, cri } = await startFake({ flavor });
  const pod = await cri.pods.run({ name: "p", logDirectory: folder });
  return { runtime, pod, folder };
}

const spec = { name: "main", image: "busybox:1", logPath: "main/deep/0.log" };

describe.each(["cri-o", "cri-dockerd"] as const)("the folder of a nested log path on %s", (flavor) => {
  test("is created on this machine, and removed with the container if it is empty", async () => {
    const { pod, folder } = await podWithLogs(flavor);
    const container = await pod.createContainer(spec);
    expect(existsSync(join(folder, "main/deep"))).toBe(true);
    await container[Symbol.asyncDispose]();
    expect(existsSync(join(folder, "main"))).toBe(false);
    expect(existsSync(folder)).toBe(true);
  });

  test("stays if there is a log in it", async () => {
    const { pod, folder } = await podWithLogs(flavor);
    const container = await pod.createContainer(spec);
    await writeFile(join(folder, "main/deep/0.log"), "");
    await container.remove();
    expect(existsSync(join(folder, "main/deep/0.log"))).toBe(true);
  });

  test("is removed with the next attempt of the container, which uses the same folder", async () => {
    const { pod, folder } = await podWithLogs(flavor);
    const next = await (await pod.runContainer(spec)).restart({ gracePeriodSeconds: 0, keepOld: true });
    for (const log of await readdir(join(folder, "main/deep"))) await rm(join(folder, "main/deep", log));
    await next.remove();
    expect(existsSync(join(folder, "main"))).toBe(false);
  });

  test("stays if it existed before", async () => {
    const { pod, folder } = await podWithLogs(flavor);
    await mkdir(join(folder, "main/deep"), { recursive: true });
    await (await pod.createContainer(spec)).remove();
    expect(existsSync(join(folder, "main/deep"))).toBe(true);
  });

  test("is removed if the creation fails, and if the container does not start", async () => {
    const { runtime, pod, folder } = await podWithLogs(flavor);
    runtime.failNext("CreateContainer", { code: "INVALID_ARGUMENT" });
    await rejection(pod.runContainer(spec));
    expect(existsSync(join(folder, "main"))).toBe(false);
    runtime.failNext("StartContainer", { code: "INVALID_ARGUMENT" });
    await rejection(pod.runContainer(spec));
    expect(existsSync(join(folder, "main"))).toBe(false);
  });
});

test("the client creates no folder on containerd, which creates it itself", async () => {
  const { pod, folder } = await podWithLogs("containerd-2");
  await pod.createContainer(spec);
  expect(existsSync(join(folder, "main"))).toBe(false);
});

test("no folder is created if the log directory is not on this machine, and the error names the remedy", async () => {
  const { cri } = await startFake({ flavor: "cri-o" });
  const pod = await cri.pods.run({ name: "p", logDirectory: "/no/such/folder" });
  expect(String(await rejection(pod.createContainer(spec)))).toContain(
    "the folder of the container's log may be missing",
  );
  expect(existsSync("/no/such")).toBe(false);
});

describe.each(["containerd-2", "cri-o", "cri-dockerd"] as const)("a log directory for each pod on %s", (flavor) => {
  async function podBelow(folder: string) {
    const { cri } = await startFake({ flavor });
    const pod = await cri.pods.run({ name: "p", uid: "u", logDirectory: { root: folder } });
    expect(pod.config.logDirectory).toBe(join(folder, "default_p_u"));
    await pod.runContainer({ ...spec, command: ["echo", "hello"] });
    await expect.poll(() => existsSync(join(folder, "default_p_u", spec.logPath))).toBe(true);
    return pod;
  }

  test("is removed with the pod, logs included, by disposal and by remove()", async () => {
    const folder = await temporaryFolder();
    await (await podBelow(folder))[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
    await (await podBelow(folder)).remove();
    expect(await readdir(folder)).toEqual([]);
  });

  test.each(["dispose", "remove"] as const)("stays at %s while another attempt of the pod exists", async (how) => {
    const folder = await temporaryFolder();
    const { cri } = await startFake({ flavor });
    const logDirectory = { root: folder };
    const attempts = await Promise.all(
      [0, 1].map((attempt) => cri.pods.run({ name: "p", uid: "u", attempt, logDirectory })),
    );
    await using _other = await cri.pods.run({ name: "p", uid: "other", logDirectory });
    const log = join(folder, "default_p_u", "live.log");
    await mkdir(dirname(log), { recursive: true });
    await writeFile(log, "");
    const end = (pod: OwnedPodSandbox) => (how === "remove" ? pod.remove() : pod[Symbol.asyncDispose]());
    await end(attempts[0]!);
    expect(existsSync(log)).toBe(true);
    await end(attempts[1]!);
    expect(existsSync(log)).toBe(false);
  });

  test("stays, with a warning, if the runtime fails to list its pods", async () => {
    const folder = await temporaryFolder();
    const warnings: string[] = [];
    const logger = { warn: (message: string) => void warnings.push(message) };
    const { runtime, cri } = await startFake({ flavor }, { logger });
    await mkdir(join(folder, "default_p_u"));
    const pod = await cri.pods.run({ name: "p", uid: "u", logDirectory: { root: folder } });
    runtime.failNext("ListPodSandbox", { code: "INTERNAL" });
    await pod.remove();
    expect(await readdir(folder)).toEqual(["default_p_u"]);
    expect(warnings).toEqual(["the log directory of a removed pod could not be removed"]);
  });

  test("stays after its pod is released", async () => {
    const folder = await temporaryFolder();
    const pod = await podBelow(folder);
    await pod.release().remove();
    expect(await readdir(folder)).toEqual(["default_p_u"]);
  });
});

test.each([
  ["unix", false],
  ["abstract", false],
  ["npipe", false],
  ["tcp", true],
])("with an endpoint of kind %s, the log directory of a removed pod stays: %s", async (kind, stays) => {
  const folder = await temporaryFolder();
  const { runtime } = await startFake();
  const endpoint = parseEndpoint(runtime.endpoint);
  const parent = new Connection({ endpoint, imageEndpoint: endpoint });
  onTestFinished(() => parent.close());
  const options = { ...parent.options, endpoint: { ...endpoint, kind } as Endpoint };
  await removeLogDirectory(new Connection(options, parent), "removed", folder, {});
  expect(existsSync(folder)).toBe(stays);
});

test("a log directory given as a path stays when the pod is removed", async () => {
  const { pod, folder } = await podWithLogs("containerd-2");
  await writeFile(join(folder, "of-another-pod.log"), "");
  await pod[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual(["of-another-pod.log"]);
});
