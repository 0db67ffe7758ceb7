import { accessSync, type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileKind, LocalFileError } from "./local-file-error.js";

// What a platform does not have is undefined there. A directory is listed and passed through, never read.
const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0 } = constants;

/** Linux' flag for a descriptor that only says which file it is. Node.js does not list it; it is the same wherever Node.js runs. */
const O_PATH = 0o10000000;

/** The folder in which the kernel has a path for each file that this process has open. */
export const descriptors = "/proc/self/fd";

/** How a path is opened. */
export interface PathHandleOptions {
  /** Whether a symbolic link at the end of the path is followed. Links on the way to it always are. @defaultValue true */
  follow?: boolean | undefined;
  /** Whether the kernel can hold a file by a descriptor. Tests pass false on Linux. @defaultValue whether this is Linux, with `/proc` */
  byDescriptor?: boolean | undefined;
}

/**
 * Holds a file, directory or link of any kind by which one it is rather than by its name, so that what was checked is what is used.
 * Somebody may rename it or put another file in its place meanwhile.
 *
 * Opening has no effect on what it finds: a named pipe does not block, a device is not opened (opening `/dev/watchdog` restarts the
 * node). On Linux everything goes through a descriptor. Elsewhere it goes by path, and another file found there later is refused
 * with `ERR_FILE_CHANGED`.
 */
export class PathHandle implements AsyncDisposable {
  /** The path that was opened, for error messages. */
  readonly name: string;
  /** What was found when it was opened; of a link that is not followed, its own. */
  readonly stats: BigIntStats;
  readonly #handle: FileHandle | undefined;
  readonly #follow: boolean;
  /** Where it was found. */
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

  /** A path to use instead of the name: on Linux it leads to what is held, whatever has become of the name. */
  get path(): string {
    return this.#handle ? `${descriptors}/${this.#handle.fd}` : this.#location;
  }

  /**
   * Opens something in the directory that is held, links not followed. The directory has to stay open for {@link readLink}.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async entry(name: string): Promise<PathHandle> {
    const open = PathHandle.#open(join(this.name, name), join(this.path, name), false, this.#handle !== undefined);
    const entry = await open.catch(this.#rename(this.path));
    await this.#demandInPlace();
    return entry;
  }

  /**
   * Opens the file for reading. Never blocks.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async openRegular(): Promise<FileHandle> {
    this.#demand(this.stats.isFile(), "a regular file");
    // Through a descriptor the path ends in a link, which has to be followed.
    const noFollow = this.#follow || this.#handle ? 0 : O_NOFOLLOW;
    const file = await open(this.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | noFollow).catch((error) => {
      if (noFollow !== 0 && error.code === "ELOOP") throw this.#changed();
      return this.#rename(this.path)(error);
    });
    try {
      this.#demandSame(await file.stat({ bigint: true }));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Lists the names in the directory, as far as they are asked for: it may be large, or grow all the time.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async *list(): AsyncGenerator<string, void, undefined> {
    this.#demand(this.stats.isDirectory(), "a directory");
    const entries = await opendir(this.path).catch(this.#rename(this.path));
    try {
      await this.#demandInPlace();
    } catch (error) {
      await entries.close();
      throw error;
    }
    for await (const { name } of entries) yield name;
  }

  /**
   * Reads where the symbolic link leads.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED` if there is no link any more, or the error of `node:fs`
   */
  async readLink(): Promise<string> {
    try {
      return await readlink(this.#location);
    } catch (error) {
      // There is no way to read the link by its descriptor: another one in its place is read.
      if ((error as NodeJS.ErrnoException).code === "EINVAL") throw this.#changed();
      return this.#rename(this.#location)(error as NodeJS.ErrnoException);
    }
  }

  /** May be called again. */
  async close(): Promise<void> {
    await this.#handle?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #demand(isWanted: boolean, wanted: string): void {
    if (isWanted) return;
    throw new LocalFileError("ERR_NOT_REGULAR_FILE", this.name, `is ${fileKind(this.stats)}, not ${wanted}`);
  }

  #demandSame({ dev, ino }: BigIntStats): void {
    // Some releases of Node.js on Windows report 64 bits of a volume's number by path and 32 by descriptor.
    const volume = (number: bigint) => BigInt.asUintN(32, number);
    if (volume(dev) === volume(this.stats.dev) && ino === this.stats.ino) return;
    throw this.#changed();
  }

  /** Without a descriptor, what was found by the path of this directory is in it only if the path still leads to it. */
  async #demandInPlace(): Promise<void> {
    if (!this.#handle) this.#demandSame(await statsOf(this.#location, this.#follow));
  }

  #changed(): LocalFileError {
    return new LocalFileError("ERR_FILE_CHANGED", this.name, "was replaced while it was being opened");
  }

  /** Has errors name the path that the caller knows, rather than where this is held. */
  #rename(location: string): (error: NodeJS.ErrnoException) => never {
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

/** Whether paths can begin at an open file: on Linux, unless `/proc` is missing, as in some chroots, or access to it denied. */
export function hasDescriptors(): boolean {
  known ??= process.platform === "linux" && isAllowed(descriptors);
  return known;
}

function isAllowed(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false; // Node.js' permission model denies what was not allowed
  }
}
