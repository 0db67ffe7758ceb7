import { isUtf8 } from "node:buffer";
import { constants, type PathLike, type Stats } from "node:fs";
import {
  access,
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  readlink,
  rename,
  stat,
  statfs,
  utimes,
} from "node:fs/promises";
import { join } from "node:path";
import { descriptors, hasDescriptors } from "../../../internal/path-handle.js";
import { quoted, toByteString, toText } from "./byte-string.js";
import { refused } from "./refused.js";

/**
 * An open folder. What is done in it happens in this very folder, even if another user meanwhile puts a symbolic link in its
 * place: on Linux, paths begin at the open handle, `/proc/self/fd/N`. Elsewhere a folder is its path. Names are byte strings.
 */
export class Folder implements AsyncDisposable {
  #path: string;
  readonly #handle: FileHandle | undefined;

  private constructor(path: string, handle?: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /**
   * Opens a folder. What is no folder, such as a symbolic link to one, is an error, `ENOTDIR`.
   *
   * @param byHandle whether paths can begin at a handle; tests pass `false` for other platforms
   */
  static async open(path: PathLike, byHandle = hasDescriptors()): Promise<Folder> {
    if (byHandle) {
      const handle = await open(path, constants.O_DIRECTORY | constants.O_NOFOLLOW);
      return new Folder(`${descriptors}/${handle.fd}`, handle);
    }
    if ((await lstat(path)).isDirectory()) return new Folder(String(path));
    throw Object.assign(new Error("not a folder"), { code: "ENOTDIR", syscall: "open" });
  }

  /** Whether another user who may write to the folder's parent could make it another folder. */
  get isReplaceable(): boolean {
    return this.#handle === undefined;
  }

  /** The path of what has a name in this folder. */
  at(name: string): PathLike {
    if (this.#handle) return Buffer.from(`${this.#path}/${name}`, "latin1");
    if (isUtf8(Buffer.from(name, "latin1"))) return join(this.#path, toText(name));
    throw refused(`has a file name that is not UTF-8, which this platform does not have: ${quoted(name)}`);
  }

  /** Opens a folder in this one. */
  folder(name: string): Promise<Folder> {
    return Folder.open(this.at(name), this.#handle !== undefined);
  }

  /** The names in this folder, in any order. They are read in portions, so that a large folder takes no memory. */
  async *names(): AsyncGenerator<string, void, undefined> {
    for await (const { name } of await opendir(this.#path, { encoding: "latin1", bufferSize: 128 })) yield name;
  }

  /** Stats of a name in this folder, without following links; `undefined` if there is no such name. */
  lstat(name: string): Promise<Stats | undefined> {
    return statsOf(this.at(name));
  }

  stat(): Promise<Stats> {
    return this.#handle ? this.#handle.stat() : stat(this.#path);
  }

  /** Where this folder is now, as a byte string. */
  async path(): Promise<string> {
    return this.#handle ? readlink(this.#path, "latin1") : toByteString(this.#path);
  }

  /** Bytes that this user can still write to the file system; no limit if that does not say. */
  async freeBytes(): Promise<number> {
    const { bavail, blocks, bsize } = await statfs(this.#path);
    return blocks > 0 ? bavail * bsize : Number.POSITIVE_INFINITY;
  }

  /** Rejects if this user cannot add to this folder. */
  checkWritable(): Promise<void> {
    return access(this.#path, constants.W_OK | constants.X_OK);
  }

  /** Makes a folder in this one, unless something has its name already. */
  async make(name: string): Promise<void> {
    await mkdir(this.at(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }

  /** Moves this folder, which stays open. */
  async move(from: PathLike, parent: Folder, name: string): Promise<void> {
    await rename(from, parent.at(name));
    if (!this.#handle) this.#path = String(parent.at(name));
  }

  async chmod(mode: number): Promise<void> {
    await (this.#handle ? this.#handle.chmod(mode) : chmod(this.#path, mode));
  }

  async utimes(mtime: Date): Promise<void> {
    await (this.#handle ? this.#handle.utimes(mtime, mtime) : utimes(this.#path, mtime, mtime));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
  }
}

/** Stats of a path, without following links; `undefined` if there is no such file. */
export async function statsOf(path: PathLike): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
