/** The size of volumes on disk, which has to be measured. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findOverfullVolume } from "../../../../src/kubernetes/node/volume-usage.js";
import type { VolumePlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { skipOnWindows } from "../../../support/platform.js";
import { temporaryFolder } from "./support.js";

const noDu = skipOnWindows("there is no du");

test.skipIf(noDu)("the first volume on disk above its limit is found", async () => {
  const root = await temporaryFolder();
  const volume = (
    name: string,
    sizeLimitBytes: bigint | undefined,
    medium: "disk" | "memory" = "disk",
  ): VolumePlan => ({
    kind: "emptyDir",
    name,
    path: join(root, name),
    medium,
    sizeLimitBytes,
  });
  await mkdir(join(root, "full/nested"), { recursive: true });
  await mkdir(join(root, "links"));
  await writeFile(join(root, "full/nested/file"), Buffer.alloc(300_000, 1));
  await symlink(join(root, "full"), join(root, "links/full"));
  const others = [volume("links", 100_000n), volume("full", undefined), volume("full", 1n, "memory")];
  expect(await findOverfullVolume([...others, volume("full", 1_000_000n)])).toBeUndefined();
  expect(await findOverfullVolume([...others, volume("full", 200_000n)])).toMatchObject({
    name: "full",
    limitBytes: 200_000n,
  });
});

test.skipIf(noDu)("a volume that does not exist is reported", async () => {
  const root = await temporaryFolder();
  const path = join(root, "gone");
  const volume = { kind: "emptyDir", name: "gone", path, medium: "disk", sizeLimitBytes: 1n } as const;
  await expect(findOverfullVolume([volume])).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/the size of volume "gone": du failed: .*No such file/),
  });
});
