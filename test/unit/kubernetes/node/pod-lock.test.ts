/** The lock of a pod's name: at most one process runs a pod, and no lock outlives its process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockPod } from "../../../../src/kubernetes/node/pod-lock.js";
import { openBelow } from "../../../support/open-files.js";
import { skipWhere } from "../../../support/platform.js";
import { temporaryFolder } from "./support.js";

const noFlock = skipWhere(process.platform !== "linux", "locks need flock");
const pod = { namespace: "shop", name: "web" };

/** Starts a process that locks the pod and keeps it until it is killed. */
async function holder(rootDirectory: string): Promise<ChildProcess> {
  const script = `
    import { lockPod } from ${JSON.stringify(new URL("../../../../src/kubernetes/node/pod-lock.ts", import.meta.url))};
    await lockPod(${JSON.stringify({ rootDirectory })}, ${JSON.stringify(pod)});
    console.log("locked");
    setInterval(() => {}, 1_000);
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout!, "data");
  return child;
}

test.skipIf(noFlock)("a second holder is refused until the first one releases the lock", async () => {
  const rootDirectory = await temporaryFolder();
  const lock = await lockPod({ rootDirectory }, pod);
  await expect(lockPod({ rootDirectory }, pod)).rejects.toMatchObject({
    code: "ALREADY_EXISTS",
    message: expect.stringContaining("the pod shop/web is already run by this process"),
  });
  await using _other = await lockPod({ rootDirectory }, { namespace: "shop", name: "other" });
  await lock.release();
  await using _again = await lockPod({ rootDirectory }, pod);
  await lock.release();
  await expect(lockPod({ rootDirectory }, pod)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
});

test.skipIf(noFlock)("the lock of a killed process is free", async () => {
  const rootDirectory = await temporaryFolder();
  const child = await holder(rootDirectory);
  await expect(lockPod({ rootDirectory }, pod)).rejects.toThrow(`already run by process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  await using _lock = await lockPod({ rootDirectory }, pod);
});

test.skipIf(noFlock)("a released lock leaves nothing", async () => {
  const rootDirectory = await temporaryFolder();
  await (await lockPod({ rootDirectory }, pod)).release();
  expect([await readdir(join(rootDirectory, "locks")), openBelow(rootDirectory)]).toEqual([[], []]);
});

test.skipIf(noFlock)("only one of many contenders holds the lock at any time", async () => {
  const rootDirectory = await temporaryFolder();
  let holders = 0;
  let acquired = 0;
  const contend = async () => {
    for (let round = 0; round < 10; round++) {
      await using lock = await lockPod({ rootDirectory }, pod).catch(() => undefined);
      if (!lock) continue;
      acquired++;
      expect(++holders).toBe(1);
      await writeFile(join(rootDirectory, "work"), "");
      holders--;
    }
  };
  await mkdir(join(rootDirectory, "locks/shop"), { recursive: true });
  await Promise.all(Array.from({ length: 5 }, contend));
  expect(acquired).toBeGreaterThan(0);
  expect(openBelow(join(rootDirectory, "locks"))).toEqual([]);
});
