import { InvalidInputError } from "../../../errors.js";
import { toText } from "../../../internal/files/byte-string.js";
import type { Folder } from "../../../internal/files/folder.js";

/**
 * Where a folder cannot be held by its handle, root does not write into one in which another user could put a link in its way.
 *
 * @throws InvalidInputError
 */
export async function checkSafeForRoot(folder: Folder): Promise<void> {
  if (!folder.isReplaceable || process.getuid?.() !== 0) return;
  const { uid, mode } = await folder.stat();
  const isSticky = (mode & 0o1000) !== 0;
  if (uid === 0 && ((mode & 0o022) === 0 || isSticky)) return;
  throw new InvalidInputError({
    field: "localPath",
    message: "another user may write to this folder, which is unsafe for root; copy to a folder of root",
    value: toText(await folder.path()),
  });
}
