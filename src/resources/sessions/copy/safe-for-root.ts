import { InvalidInputError } from "../../../errors.js";
import { toText } from "../../../internal/files/byte-string.js";
import type { Folder } from "../../../internal/files/folder.js";

/**
 * Refuses a folder that root should not write to: without a descriptor, another user who can write to the folder could redirect
 * root's writes with a link.
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
    message:
      "another user may write to this folder, which is unsafe for root; copy to a folder that only root can write to",
    value: toText(await folder.path()),
  });
}
