import { accessSync, type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileKind, LocalFileError } from "./local-file-error.js";

// Flags that a platform does not have are undefined.
const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0 } = constants;

/** Linux' flag for a descriptor that only identifies a file. Node.js does not export it; its value is the same on all its architectures. */
const O_PATH = 0o10000000;

/** The directory in which the kernel provides a path for each open file of this process. */
export const descriptors = "/proc/self/fd";

/** Options of {@link PathHandle.open}. */
export interface PathHandleOptions {
  /** Whether to follow a symbolic link at the end of the path. Links within the path are always followed. @defaultValue true */
  follow?: boolean | undefined;
  /** Whether to hold the file by a descriptor. Tests pass false on Linux. @defaultValue true on Linux with `/proc` */
  byDescriptor?: boolean | undefined;
}

/**
 * Holds one file, directory or link by its identity rather than its name, so that the file that was checked is the file that is used.
 * Another process may rename or replace it in the meantime.
 *
 * Opening a path handle does not affect the file: a named pipe does not block, and a device is not opened (opening `/dev/watchdog`
 * restarts the node). On Linux, all operations use a descriptor. On other systems they use the path, and refuse a file that has
 * replaced the original with `ERR_FILE_CHANGED`.
 */
export class PathHandle implements AsyncDisposable {
  /** The path that was opened, for error messages. */
  readonly name: string;
  /** The metadata at the time of opening; for a link that is not followed, those of the link. */
  readonly stats: BigIntStats;
  readonly #handle: FileHandle | undefined;
  readonly #follow: boolean;
  /** The path for the operating system. */
  readonly #location: string;

  private constructor(name: string, location: string, stats: BigIntStats, follow: boolean, handle?: FileHandle) {
    this.name = name;
    this.#location = location;
    this.stats = stats;
    this.#follow = follow;
    this.#handle = handle;
  }

  /** @throws the error of `node:fs` */
  static open(path: string, { follow = true, byDescriptor = hasDescriptors() }: PathHandleOptions = {}) {
    return PathHandle.#open(path, path, follow, byDescriptor);
  }

  static async #open(name: string, location: string, follow: boolean, byDescriptor: boolean): Promise<PathHandle> {
    if (!byDescriptor) return new PathHandle(name, location, await statsOf(location, follow), follow);
    const handle = await open(location, O_PATH | (follow ? 0 : O_NOFOLLOW));
    try {
      return new PathHandle(name, location, await handle.stat({ bigint: true }), follow, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** A path to use instead of the name. On Linux it always leads to the held file, even if the name now leads to another one. */
  get path(): string {
    return this.#handle ? `${descriptors}/${this.#handle.fd}` : this.#location;
  }

  /**
   * Opens an entry of this directory without following links. The directory must stay open until after {@link readLink}.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async entry(name: string): Promise<PathHandle> {
    const open = PathHandle.#open(join(this.name, name), join(this.path, name), false, this.#handle !== undefined);
    const entry = await open.catch(this.#renameIn(this.path));
    await this.#requireInPlace();
    return entry;
  }

  /**
   * Opens the file for reading. Never blocks.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async openRegular(): Promise<FileHandle> {
    this.#requireKind(this.stats.isFile(), "a regular file");
    // The path of a descriptor ends with a link, which has to be followed.
    const noFollow = this.#follow || this.#handle ? 0 : O_NOFOLLOW;
    const file = await open(this.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | noFollow).catch((error) => {
      if (noFollow !== 0 && error.code === "ELOOP") throw this.#changed();
      return this.#renameIn(this.path)(error);
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
   * Lists the names in the directory. Reads only as many as the caller takes, because the directory may be large or keep growing.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async *list(): AsyncGenerator<string, void, undefined> {
    this.#requireKind(this.stats.isDirectory(), "a directory");
    const entries = await opendir(this.path).catch(this.#renameIn(this.path));
    try {
      await this.#requireInPlace();
    } catch (error) {
      await entries.close();
      throw error;
    }
    for await (const { name } of entries) yield name;
  }

  /**
   * Reads the target of the symbolic link.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED` if it is no longer a link, or the error of `node:fs`
   */
  async readLink(): Promise<string> {
    try {
      return await readlink(this.#location);
    } catch (error) {
      // Node.js cannot read a link by its descriptor, so this reads whichever link has this path now.
      if ((error as NodeJS.ErrnoException).code === "EINVAL") throw this.#changed();
      return this.#renameIn(this.#location)(error as NodeJS.ErrnoException);
    }
  }

  /** Closes the descriptor. Further calls have no effect. */
  async close(): Promise<void> {
    await this.#handle?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireKind(matches: boolean, required: string): void {
    if (matches) return;
    throw new LocalFileError("ERR_NOT_REGULAR_FILE", this.name, `is ${fileKind(this.stats)}, not ${required}`);
  }

  #requireSame({ dev, ino }: BigIntStats): void {
    // Some Node.js releases on Windows report 64 bits of a volume's number for a path and 32 bits for a descriptor.
    const volume = (number: bigint) => BigInt.asUintN(32, number);
    if (volume(dev) === volume(this.stats.dev) && ino === this.stats.ino) return;
    throw this.#changed();
  }

  /** Without a descriptor, an entry is only in this directory if the path still leads to the directory. */
  async #requireInPlace(): Promise<void> {
    if (!this.#handle) this.#requireSame(await statsOf(this.#location, this.#follow));
  }

  #changed(): LocalFileError {
    return new LocalFileError("ERR_FILE_CHANGED", this.name, "was replaced while it was being opened");
  }

  /** Replaces the internal path in errors with the name that the caller used. */
  #renameIn(location: string): (error: NodeJS.ErrnoException) => never {
    return (error) => {
      error.message = error.message.replace(location, () => this.name);
      if (error.path !== undefined) error.path = error.path.replace(location, () => this.name);
      throw error;
    };
  }
}

function statsOf(path: string, follow: boolean): Promise<BigIntStats> {
  return (follow ? stat : lstat)(path, { bigint: true });
}

let known: boolean | undefined;

/** Whether the paths of descriptors work: on Linux, unless `/proc` is missing, as in some chroots, or denied. */
export function hasDescriptors(): boolean {
  known ??= process.platform === "linux" && isAllowed(descriptors);
  return known;
}

function isAllowed(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false; // for example denied by Node.js' permission model
  }
}
