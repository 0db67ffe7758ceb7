import { dirname } from "node:path";
import { PathHandle } from "../../internal/files/path-handle.js";

/** Returns whether a file system is mounted at this path, including a bind mount. The path must exist. */
export async function isMountPoint(path: string): Promise<boolean> {
  await using file = await PathHandle.open(path, { follow: false });
  await using parent = await PathHandle.open(dirname(path));
  return (await file.mountId()) !== (await parent.mountId());
}
