import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readFile, readlink, stat } from "node:fs/promises";
import { descriptors, hasDescriptors } from "./descriptors.js";
import { fileKind, LocalFileError } from "./local-file-error.js";

// Flags that a platform does not have are undefined.
const { O_RDONLY, O_DIRECTORY = 0, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0 } = constants;

/**
 * Linux' flag for a descriptor that only identifies a file. Node.js does not export it; its value is the same on all its
 * architectures.
 */
const O_PATH = 0o10000000;

/** A path for the operating system. A buffer can have bytes that are not UTF-8. */
export type Location = string | Buffer;

/** Options of {@link PathHandle.open}. */
export interface PathHandleOptions {
  /** Whether to follow a symbolic link at the end of the path. Links within the path are always followed. @defaultValue true */
  follow?: boolean | undefined;
  /** Whether to hold the file by a descriptor. Tests pass false on Linux. @defaultValue true on Linux with `/proc` */
  byDescriptor?: boolean | undefined;
  /** Whether to fail with `ENOTDIR` unless the path leads to a directory. @defaultValue false */
  directory?: boolean | undefined;
  /** The path in error messages. @defaultValue the path that is opened */
  name?: string | undefined;
}

/**
 * Holds one file, directory or link by its identity rather than its name. Another process may rename or replace the file between
 * a check and its use, so the handle ensures that both concern the same file. For the entries of a directory, see `Folder`.
 *
 * Opening a path handle does not affect the file: a named pipe does not block, and a device is not opened (opening
 * `/dev/watchdog` restarts the node). On Linux, all operations use a descriptor. On other systems they use the path, and refuse a
 * file that has replaced the original with `ERR_FILE_CHANGED`.
 */
export class PathHandle implements AsyncDisposable {
  /** The path in error messages. */
  readonly name: string;
  /** The metadata at the time of opening. For a link that is not followed, the metadata of the link. */
  readonly stats: BigIntStats;
  readonly #handle: FileHandle | undefined;
  readonly #follow: boolean;
  readonly #location: Location;

  private constructor(name: string, location: Location, stats: BigIntStats, follow: boolean, handle?: FileHandle) {
    this.name = name;
    this.#location = location;
    this.stats = stats;
    this.#follow = follow;
    this.#handle = handle;
  }

  /** Opens a handle, which the caller must close. @throws the error of `node:fs` */
  static async open(location: Location, options: PathHandleOptions = {}): Promise<PathHandle> {
    const { follow = true, byDescriptor = hasDescriptors(), directory = false, name = String(location) } = options;
    try {
      if (!byDescriptor) {
        const stats = await statsOf(location, follow);
        if (directory && !stats.isDirectory()) throw notDirectory(name);
        return new PathHandle(name, location, stats, follow);
      }
      const handle = await open(location, O_PATH | (follow ? 0 : O_NOFOLLOW) | (directory ? O_DIRECTORY : 0));
      try {
        return new PathHandle(name, location, await handle.stat({ bigint: true }), follow, handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw renamed(error as NodeJS.ErrnoException, String(location), name);
    }
  }

  /** Whether a descriptor holds the file, so that no other user can replace it. */
  get isHeld(): boolean {
    return this.#handle !== undefined;
  }

  /**
   * A path to use instead of the name. If the file {@link isHeld}, the path leads to this file even if the name now leads to
   * another one.
   */
  get path(): string {
    return this.#handle ? `${descriptors}/${this.#handle.fd}` : String(this.#location);
  }

  /**
   * Opens the file for reading. Never blocks.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async openRegular(): Promise<FileHandle> {
    if (!this.stats.isFile()) {
      throw new LocalFileError("ERR_NOT_REGULAR_FILE", this.name, `is ${fileKind(this.stats)}, not a regular file`);
    }
    // The path of a descriptor ends with a link, which has to be followed.
    const noFollow = this.#follow || this.#handle ? 0 : O_NOFOLLOW;
    const file = await open(this.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | noFollow).catch((error) => {
      if (noFollow !== 0 && error.code === "ELOOP") throw this.#changed();
      throw renamed(error, this.path, this.name);
    });
    try {
      this.#requireSame(await file.stat({ bigint: true }));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads the target of the symbolic link, as a byte string.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED` if it is no longer a link, or the error of `node:fs`
   */
  async readLink(): Promise<string> {
    try {
      return await readlink(this.#location, "latin1");
    } catch (error) {
      // Node.js cannot read a link by its descriptor, so this reads whichever link has this path now.
      if ((error as NodeJS.ErrnoException).code === "EINVAL") throw this.#changed();
      throw renamed(error as NodeJS.ErrnoException, String(this.#location), this.name);
    }
  }

  /**
   * Checks that the path still leads to this file. A descriptor needs no check.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async requireInPlace(): Promise<void> {
    if (!this.#handle) this.#requireSame(await statsOf(this.#location, this.#follow));
  }

  /**
   * Returns the id of the mount through which this file was opened; `undefined` unless the file {@link isHeld}. Unlike device
   * numbers, ids differ between a file system and a bind mount of it.
   */
  async mountId(): Promise<number | undefined> {
    if (!this.#handle) return undefined;
    const info = await readFile(`/proc/self/fdinfo/${this.#handle.fd}`, "latin1");
    return Number(/^mnt_id:\s*(\d+)$/m.exec(info)?.[1]);
  }

  /** Closes the descriptor. Further calls have no effect. */
  async close(): Promise<void> {
    await this.#handle?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireSame({ dev, ino }: BigIntStats): void {
    // Some Node.js releases on Windows report 64 bits of a volume's number for a path and 32 bits for a descriptor.
    const volume = (number: bigint) => BigInt.asUintN(32, number);
    if (volume(dev) === volume(this.stats.dev) && ino === this.stats.ino) return;
    throw this.#changed();
  }

  #changed(): LocalFileError {
    return new LocalFileError("ERR_FILE_CHANGED", this.name, "was replaced while it was being opened");
  }
}

/** Replaces an internal path in an error with the name that the caller used. */
export function renamed(error: NodeJS.ErrnoException, location: string, name: string): NodeJS.ErrnoException {
  error.message = error.message.replace(location, () => name);
  if (typeof error.path === "string") error.path = error.path.replace(location, () => name);
  return error;
}

function notDirectory(path: string): NodeJS.ErrnoException {
  const message = `ENOTDIR: not a directory, open '${path}'`;
  return Object.assign(new Error(message), { code: "ENOTDIR", syscall: "open", path });
}

function statsOf(location: Location, follow: boolean): Promise<BigIntStats> {
  return (follow ? stat : lstat)(location, { bigint: true });
}
