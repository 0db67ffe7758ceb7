import { mkdtemp, rm } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { CriError } from "../../../errors.js";
import type { Core } from "../../core.js";
import { exec } from "../exec.js";
import { type CopyOptions, checkContainerPath, find, finish, textOf } from "./in-container.js";
import { localTrouble } from "./local-trouble.js";
import { finishFolders, moveTo, type Place, placeFor } from "./place.js";
import { type Folders, unpack } from "./unpack.js";

/**
 * Copies a file or folder out of a container, by way of `tar` and `ls` there. Afterwards the local path is what the one in the
 * container leads to: a file replaces a file or link; a folder that exists is added to and keeps its own mode. A file does not
 * replace a folder, nor a folder a file; no link at or below the local path is followed.
 *
 * Modes (but for setuid and setgid), times, links and empty folders are kept; sockets, pipes and devices in a folder are left
 * out; the owner is this process's user. An archive whose entries lead anywhere else is refused, for the container may be
 * hostile.
 */
export async function copyFrom(
  core: Core,
  containerId: string,
  containerPath: string,
  localPath: string,
  options: CopyOptions = {},
): Promise<void> {
  const source = checkContainerPath(containerPath);
  const found = await find(core, containerId, source, options);
  if (found.kind === "nothing") throw found.error;
  const file = found.kind === "other" ? posix.basename(source) : undefined;
  const written = (cause: unknown): never => {
    throw localTrouble("cannot be written", localPath, cause);
  };
  const place: Place = await placeFor(localPath, file === undefined, posix.basename(source)).catch(written);
  // Unpacked aside and moved when all has arrived: nothing half-copied is left where somebody may look.
  const aside = await mkdtemp(join(place.workshop, ".copy-")).catch(written);
  try {
    const folders = await receive(core, containerId, source, file, aside, options);
    options.signal?.throwIfAborted();
    await moveTo(place, file === undefined ? aside : join(aside, file)).catch(written);
    await finishFolders(place, folders).catch(written);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isLocal(error) ? written(error) : error;
  } finally {
    await rm(aside, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

async function receive(
  core: Core,
  containerId: string,
  source: string,
  file: string | undefined,
  aside: string,
  options: CopyOptions,
): Promise<Folders> {
  // Of a folder its content, of a file what a link leads to: either way links at the path itself are followed.
  const what =
    file === undefined ? ["-cf", "-", "-C", source, "."] : ["-chf", "-", "-C", posix.dirname(source), "--", file];
  await using session = await exec(core, containerId, ["tar", ...what], options);
  const complaint = textOf(session.stderr);
  const [unpacked] = await Promise.allSettled([unpack(session.stdout as Readable, aside, file)]);
  if (unpacked.status === "fulfilled") {
    await finish(core, session, complaint);
    return unpacked.value;
  }
  const cause = unpacked.reason;
  if (CriError.is(cause) || isLocal(cause)) throw cause;
  // What tar in the container says of a missing file is worth more than that its archive is none.
  await finish(core, session, complaint).catch((error: unknown) => {
    if (CriError.is(error, "NOT_FOUND", "COMMAND_FAILED")) throw error;
  });
  const said = cause instanceof Error ? cause.message : String(cause);
  throw new CriError({
    code: "INVALID_RESPONSE",
    message: `what tar in the container sent cannot be unpacked: ${said.replaceAll(`${aside}/`, "")}`,
    method: "RuntimeService/Exec",
    endpoint: core.connection.endpoint,
    attempts: 1,
    cause,
  });
}

/** Whether unpacking failed for what the local file system is, not for what the archive says. */
function isLocal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
  return ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EACCES", "EMFILE", "ENFILE"].includes(code);
}
