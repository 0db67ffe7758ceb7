/** Pods that exceed the limit of a volume on disk are evicted. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeNode } from "../../../src/kubernetes/index.js";
import { ContainerState } from "../../../src/proto.js";
import { startFake } from "../support.js";
import { planOf } from "./support.js";

test("a pod whose emptyDir exceeds its limit fails with the reason Evicted", async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), "eviction-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const { runtime, cri } = await startFake();
  const directories = { rootDirectory: join(root, "pods"), podLogsDirectory: join(root, "logs") };
  const node = await describeNode(cri, { ...directories, cgroupsPerQos: false });
  const plan = planOf(
    {
      containers: [{ name: "main", image: "busybox:1", volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] }],
      volumes: [{ name: "scratch", emptyDir: { sizeLimit: "100Ki" } }],
    },
    node,
  );
  // As if an earlier run of the pod had written it.
  const scratch = join(plan.podDirectory, "volumes/kubernetes.io~empty-dir/scratch");
  await mkdir(scratch, { recursive: true });
  await writeFile(join(scratch, "file"), Buffer.alloc(200_000, 1));
  const pod = await plan.run(cri);
  onTestFinished(() => pod.dispose());
  const message = 'Usage of EmptyDir volume "scratch" exceeds the limit "100Ki".';
  await expect.poll(() => pod.status()).toMatchObject({ phase: "Failed", reason: "Evicted", message });
  expect(runtime.containers.filter(({ state }) => state === ContainerState.CONTAINER_RUNNING)).toEqual([]);
});
