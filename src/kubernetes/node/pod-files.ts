import { constants } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HostsFilePlan } from "../planning/pod-plan-types.js";
import { diskStep } from "./disk-error.js";

const { O_CREAT, O_NOFOLLOW = 0, O_TRUNC, O_WRONLY } = constants;

/**
 * Writes the hosts file of a pod. Replaces the content of an existing one, which running containers then see: they have the file
 * itself mounted, so it must not be replaced by another file.
 */
export async function writeHostsFile({ path, head, nodeHosts, tail }: HostsFilePlan): Promise<void> {
  await diskStep("the hosts file of the pod", async () => {
    const node = nodeHosts ? await readFile("/etc/hosts", "utf8") : "";
    await writeInPlace(path, `${head}${node}${tail}`, 0o644);
  });
}

/** Creates the empty file for the termination message of an attempt. Its container may run as any user. */
export async function createTerminationLog(path: string): Promise<void> {
  await diskStep("the file for the termination message", async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await writeInPlace(path, "", 0o666);
  });
}

async function writeInPlace(path: string, content: string, mode: number): Promise<void> {
  await using file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  await file.writeFile(content);
  // The process' umask does not apply to chmod.
  await file.chmod(mode);
}
