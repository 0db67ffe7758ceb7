import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { toByteString } from "../../../../src/internal/files/byte-string.js";
import { unmountWithin } from "../../../../src/kubernetes/node/mounting.js";
import type { RecordedPlan } from "../../../../src/kubernetes/node/pod-record.js";
import type { VolumePlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { canMount, skipWhere } from "../../../support/platform.js";

/** The condition for `test.skipIf`. The files of pods belong to root. */
export const notRoot = skipWhere(process.geteuid?.() !== 0 || !canMount(), "volumes need root and mounts");

/** Creates a temporary folder. Afterwards, unmounts everything in it and removes it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "node-")));
  onTestFinished(async () => {
    await unmountWithin(toByteString(folder));
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Returns the parts of a plan that concern the disk. */
export function diskPlan(root: string, volumes: readonly VolumePlan[] = []) {
  const uid = "0b9d8c1e-1f5e-4d6e-8a0d-5d7d3f6f2a11";
  return {
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "shop" },
      spec: { containers: [] },
    },
    uid,
    hash: "1",
    podDirectory: join(root, "pods", uid),
    logDirectory: join(root, "logs", `shop_web_${uid}`),
    cgroup: undefined,
    volumes,
  } satisfies RecordedPlan & { volumes: readonly VolumePlan[] };
}

/** Returns the path of a volume as a kubelet names it. */
export function volumePath(root: string, plugin: string, name: string): string {
  return join(diskPlan(root).podDirectory, "volumes", `kubernetes.io~${plugin}`, name);
}
