import { CriError } from "../../errors.js";
import { lstatIfExists } from "../../internal/files/folder.js";
import { forEachSettled } from "../../internal/for-each.js";
import type { PodPlanParts, VolumePlan } from "../planning/pod-plan-types.js";
import { diskStep } from "./disk-error.js";
import { makeVolumeDirectory, mountTmpfs, prepareEmptyDir } from "./empty-dir.js";
import { writeFileVolume } from "./file-volume.js";
import { prepareHostPath } from "./host-path.js";
import { createPodDirectory, type RecordedPlan } from "./pod-record.js";
import { removeDirectory } from "./remove-directory.js";

/** The number of volumes that are prepared at the same time. */
const parallelVolumes = 4;

/**
 * Creates the directory of a pod and its volumes, with the layout, owners and permissions of a kubelet. Checks all `hostPath`
 * volumes first. Volumes that an earlier run of the same pod left are kept, with their content.
 *
 * If a step fails, everything of a new pod is removed again, except what `hostPath` created.
 *
 * @throws CriError that names the volume. Its `suppressed` errors are those of the removal.
 */
export async function prepareVolumes(plan: RecordedPlan & Pick<PodPlanParts, "volumes">): Promise<void> {
  const { podDirectory, volumes } = plan;
  const isNew = (await lstatIfExists(podDirectory)) === undefined;
  try {
    for (const volume of volumes) if (volume.kind === "hostPath") await prepare(volume);
    await createPodDirectory(plan);
    const others = volumes.filter(({ kind }) => kind !== "hostPath");
    const failures = await forEachSettled(others, parallelVolumes, prepare);
    if (failures.length > 0) throw failures[0];
  } catch (error) {
    const failures = isNew
      ? await removeDirectory(podDirectory).then(
          () => [],
          (failure: unknown) => [failure],
        )
      : [];
    if (CriError.is(error)) throw error.withSuppressed(failures);
    throw error;
  }
}

async function prepare(volume: VolumePlan): Promise<void> {
  await diskStep(`volume ${JSON.stringify(volume.name)}`, async () => {
    if (volume.kind === "hostPath") await prepareHostPath(volume.path, volume.type);
    if (volume.kind === "emptyDir") await prepareEmptyDir(volume);
    if (volume.kind === "files") {
      await makeVolumeDirectory(volume.path);
      // ConfigMaps are on disk. The others may contain secrets, which stay in memory.
      if (volume.source !== "configMap") await mountTmpfs(volume.path, undefined);
      await writeFileVolume(volume.path, volume.files, volume.fsGroup);
    }
  });
}
