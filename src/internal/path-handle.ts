import { type BigIntStats, constants, existsSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileKind, LocalFileError } from "./local-file-error.js";

// What a platform does not have is undefined there. A directory is listed and passed through, never read.
const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0 } = constants;

/** Linux' flag for a descriptor that only says which file it is; Node.js does not list it. The same on each of its architectures. */
const O_PATH = 0o10000000;

const descriptors = "/proc/self/fd";

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
  readonly stats: BigIntStats;
  readonly #handle: FileHandle | undefined;
  readonly #follow: boolean;

  private constructor(name: string, stats: BigIntStats, follow: boolean, handle?: FileHandle) {
    this.name = name;
    this.stats = stats;
    this.#follow = follow;
    this.#handle = handle;
  }

  /** @throws the error of `node:fs` */
  static async open(name: string, options: PathHandleOptions = {}): Promise<PathHandle> {
    const { follow = true, byDescriptor = hasDescriptors() } = options;
    if (!byDescriptor) return new PathHandle(name, await look(name, follow), follow);
    const handle = await open(name, O_PATH | (follow ? 0 : O_NOFOLLOW));
    try {
      return new PathHandle(name, await handle.stat({ bigint: true }), follow, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** A path to use instead of the name: on Linux it leads to what is held, whatever has become of the name. */
  get path(): string {
    return this.#handle ? `${descriptors}/${this.#handle.fd}` : this.name;
  }

  /** The path of something in the directory that is held. */
  at(entry: string): string {
    return join(this.path, entry);
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
    const file = await open(this.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | noFollow).catch(this.#rename);
    try {
      this.#demandSame(await file.stat({ bigint: true }));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Lists the names in the directory.
   *
   * @throws LocalFileError `ERR_NOT_REGULAR_FILE`, `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async list(): Promise<string[]> {
    this.#demand(this.stats.isDirectory(), "a directory");
    const names = await readdir(this.path).catch(this.#rename);
    if (!this.#handle) this.#demandSame(await look(this.name, this.#follow));
    return names;
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
    throw new LocalFileError("ERR_FILE_CHANGED", this.name, "was replaced while it was being opened");
  }

  /** Errors name the path that the caller knows. */
  readonly #rename = (error: NodeJS.ErrnoException): never => {
    error.message = error.message.replaceAll(this.path, this.name);
    if (error.path !== undefined) error.path = this.name;
    throw error;
  };
}

function look(path: string, follow: boolean): Promise<BigIntStats> {
  return (follow ? stat : lstat)(path, { bigint: true });
}

let known: boolean | undefined;

function hasDescriptors(): boolean {
  known ??= process.platform === "linux" && existsSync(descriptors);
  return known;
}
