/**
 * Folders of the node that containers share with the test.
 *
 * @module
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of the node. */
export interface Folder extends AsyncDisposable {
  path: string;
  /** For the spec of a container that finds it under the same path. */
  mount: { hostPath: string; containerPath: string };
  /** Of a spec: the container works in this folder. What its commands write under relative paths is here. */
  inside: { mounts: Folder["mount"][]; workingDir: string };
}

/** A folder of the node for the time of a block, open to containers of any user. */
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
