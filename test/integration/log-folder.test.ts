/** The folder of a nested log path: CRI-O and Docker expect it to exist. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { FakeFlavor } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

async function podWithLogs(flavor: FakeFlavor) {
  const folder = await mkdtemp(join(tmpdir(), "cri-logs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { runtime, cri } = await startFake({ flavor });
  const pod = await cri.pods.run({ name: "p", logDirectory: folder });
  return { runtime, pod, folder };
}

const spec = { name: "main", image: "busybox:1", logPath: "main/deep/0.log" };

describe.each(["cri-o", "cri-dockerd"] as const)("on %s", (flavor) => {
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

test("containerd creates it itself", async () => {
  const { pod, folder } = await podWithLogs("containerd-2");
  await pod.createContainer(spec);
  expect(existsSync(join(folder, "main"))).toBe(false);
});

test("is left to a runtime whose log directory is not on this machine, and the error says what to do", async () => {
  const { cri } = await startFake({ flavor: "cri-o" });
  const pod = await cri.pods.run({ name: "p", logDirectory: "/no/such/folder" });
  expect(String(await rejection(pod.createContainer(spec)))).toContain(
    "the folder of the container's log may be missing",
  );
  expect(existsSync("/no/such")).toBe(false);
});
