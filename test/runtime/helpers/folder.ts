/**
 * Folders that a test shares with containers.
 *
 * @module
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of the node. */
export interface Folder extends AsyncDisposable {
  path: string;
  /** A mount for the container's spec. The folder has the same path in the container. */
  mount: { hostPath: string; containerPath: string };
  /** Fields for the container's spec that make this folder its working directory. Relative paths of its commands are in here. */
  inside: { mounts: Folder["mount"][]; workingDir: string };
}

/** Creates a temporary folder of the node that containers of any user may write to. Disposing of it removes it. */
export async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "journey-"));
  await chmod(path, 0o777);
  const mount = { hostPath: path, containerPath: path };
  return {
    path,
    mount,
    inside: { mounts: [mount], workingDir: path },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
