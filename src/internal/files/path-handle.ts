import { type BigIntStats, close, closeSync, constants, fstat, open as openDescriptor, read } from "node:fs";
import { type FileHandle, lstat, open, readFile, readlink, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { descriptors, hasDescriptors } from "./descriptors.js";
import { fileKind, LocalFileError } from "./local-file-error.js";

// Flags that a platform does not have are undefined.
const { O_RDONLY, O_DIRECTORY = 0, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0 } = constants;

/**
 * Linux' flag for a descriptor that only identifies a file. Node.js does not export it; its value is the same on all its
 * architectures.
 */
const O_PATH = 0o10000000;

// File handles of `node:fs/promises` cost twice the CPU time of descriptors, which counts for a folder of many files.
const descriptor = {
  open: promisify(openDescriptor),
  stat: promisify(fstat),
  read: promisify(read),
  close: promisify(close),
};

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
  /** The descriptor that holds the file, until it is closed. */
  #descriptor: number | undefined;
  /** Whether a descriptor holds the file, so that no other user can replace it. */
  readonly isHeld: boolean;
  readonly #follow: boolean;
  readonly #location: Location;

  private constructor(name: string, location: Location, stats: BigIntStats, follow: boolean, held?: number) {
    this.name = name;
    this.#location = location;
    this.stats = stats;
    this.#follow = follow;
    this.#descriptor = held;
    this.isHeld = held !== undefined;
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
      const flags = O_PATH | (follow ? 0 : O_NOFOLLOW) | (directory ? O_DIRECTORY : 0);
      const held = await descriptor.open(location, flags);
      try {
        return new PathHandle(name, location, await descriptor.stat(held, { bigint: true }), follow, held);
      } catch (error) {
        closeSync(held);
        throw error;
      }
    } catch (error) {
      throw renamed(error as NodeJS.ErrnoException, String(location), name);
    }
  }

  /**
   * A path to use instead of the name. If the file {@link isHeld}, the path leads to this file even if the name now leads to
   * another one.
   */
  get path(): string {
    return this.isHeld ? `${descriptors}/${this.#held}` : String(this.#location);
  }

  /**
   * Opens the file for reading. Never blocks.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async openRegular(): Promise<FileHandle> {
    const flags = this.#readFlags();
    const file = await open(this.path, flags).catch((error) => this.#notOpened(error));
    try {
      // A descriptor always leads to its own file.
      if (!this.isHeld) this.#requireSame(await file.stat({ bigint: true }));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads the beginning of the file into a buffer, and returns how many bytes it has read: fewer than the buffer holds only if the
   * file ends. Never blocks.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async read(buffer: Buffer): Promise<number> {
    const flags = this.#readFlags();
    const file = await descriptor.open(this.path, flags).catch((error) => this.#notOpened(error));
    try {
      if (!this.isHeld) this.#requireSame(await descriptor.stat(file, { bigint: true }));
      let length = 0;
      for (let isAtEnd = false; length < buffer.length && !isAtEnd; ) {
        const { bytesRead } = await descriptor.read(file, buffer, length, buffer.length - length, null);
        length += bytesRead;
        isAtEnd = bytesRead === 0;
      }
      return length;
    } finally {
      await descriptor.close(file);
    }
  }

  #readFlags(): number {
    if (!this.stats.isFile()) {
      throw new LocalFileError("ERR_NOT_REGULAR_FILE", this.name, `is ${fileKind(this.stats)}, not a regular file`);
    }
    // The path of a descriptor ends with a link, which has to be followed.
    return O_RDONLY | O_NONBLOCK | O_NOCTTY | (this.#follow || this.isHeld ? 0 : O_NOFOLLOW);
  }

  #notOpened(error: NodeJS.ErrnoException): never {
    if (!this.#follow && !this.isHeld && error.code === "ELOOP") throw this.#changed();
    throw renamed(error, this.path, this.name);
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
    if (!this.isHeld) this.#requireSame(await statsOf(this.#location, this.#follow));
  }

  /**
   * Returns the id of the mount through which this file was opened; `undefined` unless the file {@link isHeld}. Unlike device
   * numbers, ids differ between a file system and a bind mount of it.
   */
  async mountId(): Promise<number | undefined> {
    if (!this.isHeld) return undefined;
    const info = await readFile(`/proc/self/fdinfo/${this.#held}`, "latin1");
    return Number(/^mnt_id:\s*(\d+)$/m.exec(info)?.[1]);
  }

  /** Closes the descriptor. Further calls have no effect. */
  async close(): Promise<void> {
    const held = this.#descriptor;
    this.#descriptor = undefined;
    // Never blocks: the descriptor does not have the file open.
    if (held !== undefined) closeSync(held);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The descriptor. Another file may have the number of a closed one. */
  get #held(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.name} was used after it was closed`);
    return this.#descriptor;
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
