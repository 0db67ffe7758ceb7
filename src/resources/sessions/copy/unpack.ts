import { chmod, lutimes, symlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { ReadEntry, Unpack } from "tar";
import { CriError, InvalidInputError } from "../../../errors.js";
import { leadsOut } from "./leads-out.js";

/** What is to be set once nothing is written any more. */
export interface Attributes {
  mode: number;
  mtime: Date | undefined;
}

/** Folders by their path in the archive, `.` being the archive's own, each after all that are in it. */
export type Folders = readonly (readonly [path: string, attributes: Attributes])[];

/**
 * Unpacks an archive that a hostile container may have made. Whatever it says, nothing is written outside of the folder `into`:
 * symbolic links, which may lead anywhere, are made after everything else, the deepest first, so that none is ever on the way to
 * anything. Sockets, pipes and devices are left out, and so are the bits that make a program run as its owner or group. The
 * folders' own modes and times are left to the caller, who has to move them first.
 *
 * @param only the one file that the archive must hold; a folder with anything in it if not given
 */
export async function unpack(archive: Readable, into: string, only?: string): Promise<Folders> {
  const { Unpack } = await import("tar");
  const files = new Map<string, number>();
  const folders = new Map<string, Attributes>();
  const links = new Map<string, { linkpath: string; mtime: Date | undefined }>();
  let refusal: CriError | undefined;
  /** Takes note of an entry; whether node-tar is to unpack it. */
  const take = (entry: ReadEntry): boolean => {
    const path = posix.normalize(entry.path).replace(/\/$/, "");
    const { type, mtime, linkpath = "" } = entry;
    const asked =
      only === undefined ? path !== "." || isFolder(type) : path === only && (isFile(type) || isSpecial(type));
    if (!asked || leadsOut(entry.path)) refusal ??= notAskedFor(entry, only);
    if (refusal || isSpecial(type)) return false;
    // A hard link to a symbolic one is another of the same.
    const link =
      type === "SymbolicLink" ? { linkpath, mtime } : type === "Link" && links.get(posix.normalize(linkpath));
    if (link) {
      links.set(path, link);
      return false;
    }
    const mode = (entry.mode ?? 0o700) & 0o1777;
    if (isFile(type)) files.set(path, mode);
    if (isFolder(type)) folders.set(path, { mode, mtime });
    // Until all is there, only this process has to get at it.
    entry.mode = isFolder(type) ? 0o700 : 0o600;
    return true;
  };
  const unpacking = new Unpack({
    cwd: into,
    strict: true,
    preserveOwner: false,
    filter: (_, entry) => take(entry as ReadEntry),
  });
  await pipeline(
    archive,
    sinkOf(unpacking, () => refusal),
  );
  if (only !== undefined && !files.has(only)) {
    throw new InvalidInputError({ field: "containerPath", message: "is neither a file nor a folder", value: only });
  }
  for (const [path, mode] of files) await chmod(join(into, path), mode);
  for (const [path, { linkpath, mtime }] of deepestFirst(links)) {
    await symlink(linkpath, join(into, path));
    if (mtime) await lutimes(join(into, path), mtime, mtime);
  }
  return deepestFirst(folders);
}

const isFile = (type: string) => type === "File" || type === "OldFile" || type === "ContiguousFile";
const isFolder = (type: string) => type === "Directory" || type === "GNUDumpDir";
const isSpecial = (type: string) => type === "FIFO" || type === "CharacterDevice" || type === "BlockDevice";

function notAskedFor(entry: ReadEntry, only: string | undefined): CriError {
  return new CriError({
    code: "INVALID_RESPONSE",
    message:
      `the archive from the container has an entry that is not ${only === undefined ? "inside of the folder" : "the file"} ` +
      `asked for: ${entry.type} ${JSON.stringify(entry.path.slice(0, 200))}`,
    method: "RuntimeService/Exec",
    attempts: 1,
  });
}

function deepestFirst<T>(entries: ReadonlyMap<string, T>): [string, T][] {
  const depth = (path: string) => (path === "." ? 0 : path.split("/").length);
  return [...entries].sort(([one], [other]) => depth(other) - depth(one));
}

/** How long to wait for files to be closed after a failure. */
const closingMs = 1_000;

/**
 * node-tar as a stream of Node.js: finished when everything is written, and destroyed when no file is open any more, which
 * ending the archive in the middle brings about.
 */
function sinkOf(unpacking: Unpack, refusal: () => CriError | undefined): Writable {
  const closed = new Promise<void>((resolve) => unpacking.once("close", resolve));
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        const more = unpacking.write(chunk);
        if (more || refusal()) done(refusal());
        else unpacking.once("drain", () => done());
      } catch (error) {
        done(error as Error);
      }
    },
    final(done) {
      unpacking.end();
      closed.then(() => done());
    },
    destroy(error, done) {
      unpacking.end();
      Promise.race([closed, delay(closingMs, undefined, { ref: false })]).then(() => done(error));
    },
  });
  // node-tar may report more than one error, the last of them when nobody waits any more.
  unpacking.on("error", (error) => sink.destroy(error as Error));
  return sink;
}
