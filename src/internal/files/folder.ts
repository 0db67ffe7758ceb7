import { isUtf8 } from "node:buffer";
import { constants, type Dirent, type Stats } from "node:fs";
import { access, chmod, lstat, mkdir, opendir, readlink, rename, stat, statfs, utimes } from "node:fs/promises";
import { join } from "node:path";
import { toByteString, toText } from "./byte-string.js";
import { hasDescriptors } from "./descriptors.js";
import { LocalFileError } from "./local-file-error.js";
import { type Location, PathHandle, renamed } from "./path-handle.js";

/**
 * An open folder and the files in it. On Linux all operations happen in this folder, even if another user replaces it with a
 * symbolic link: paths begin at its descriptor, `/proc/self/fd/N`. On other systems paths begin at its own path. Names are byte
 * strings.
 */
export class Folder implements AsyncDisposable {
  #handle: PathHandle;

  /** @param handle an open directory, which disposing of the folder closes */
  constructor(handle: PathHandle) {
    this.#handle = handle;
  }

  /**
   * Opens a folder. Does not follow a symbolic link at the end of the path.
   *
   * @param byDescriptor whether to hold the folder by a descriptor; tests pass false on Linux
   * @throws the error of `node:fs`, such as `ENOTDIR` for anything but a folder
   */
  static async open(path: Location, byDescriptor = hasDescriptors()): Promise<Folder> {
    return new Folder(await PathHandle.open(path, { follow: false, directory: true, byDescriptor }));
  }

  /** Whether another user with write permission for the parent folder could replace this folder. */
  get isReplaceable(): boolean {
    return !this.#handle.isHeld;
  }

  /**
   * Returns whether a file in this folder can have this name. Only the paths of descriptors can have names that are not UTF-8.
   */
  accepts(name: string): boolean {
    return this.#handle.isHeld || isUtf8(Buffer.from(name, "latin1"));
  }

  /**
   * Returns the path of a file in this folder.
   *
   * @throws LocalFileError `ERR_NAME_NOT_UTF8` unless this folder {@link accepts} the name
   */
  at(name: string): Location {
    const { path } = this.#handle;
    if (this.#handle.isHeld) return Buffer.from(`${path}/${name}`, "latin1");
    if (this.accepts(name)) return join(path, toText(name));
    throw new LocalFileError("ERR_NAME_NOT_UTF8", join(path, toText(name)), "has a name that is not UTF-8");
  }

  /**
   * Opens a folder in this one. Does not follow a link.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async folder(name: string): Promise<Folder> {
    return new Folder(await this.#open(name, true));
  }

  /**
   * Opens a file of any kind in this folder. Does not follow a link. This folder must stay open until after `readLink`.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  entry(name: string): Promise<PathHandle> {
    return this.#open(name, false);
  }

  async #open(name: string, directory: boolean): Promise<PathHandle> {
    const { name: parent, isHeld: byDescriptor } = this.#handle;
    const options = { follow: false, directory, byDescriptor, name: join(parent, toText(name)) };
    const handle = await PathHandle.open(this.at(name), options);
    await this.#handle.requireInPlace();
    return handle;
  }

  /** Lists the names in this folder, as {@link entries} does. */
  async *names(): AsyncGenerator<string, void, undefined> {
    for await (const { name } of this.entries()) yield name;
  }

  /**
   * Lists the entries of this folder, in any order. Reads only as many as the caller takes, because the folder may be large or keep
   * growing. The kind of an entry is a hint: another user may replace the file, and some file systems report no kinds.
   *
   * @throws LocalFileError `ERR_FILE_CHANGED`, or the error of `node:fs`
   */
  async *entries(): AsyncGenerator<Pick<Dirent, "name" | "isFile">, void, undefined> {
    const { path, name: shown } = this.#handle;
    const entries = await opendir(path, { encoding: "latin1", bufferSize: 128 }).catch((error) => {
      throw renamed(error, path, shown);
    });
    try {
      await this.#handle.requireInPlace();
    } catch (error) {
      await entries.close();
      throw error;
    }
    yield* entries;
  }

  /** Returns the metadata of a file in this folder without following links, or `undefined` if the file does not exist. */
  lstat(name: string): Promise<Stats | undefined> {
    return lstatIfExists(this.at(name));
  }

  /** Returns the id of the mount that contains this folder; `undefined` where it is not known. */
  mountId(): Promise<number | undefined> {
    return this.#handle.mountId();
  }

  stat(): Promise<Stats> {
    return stat(this.#handle.path);
  }

  /** Returns the current path of this folder, as a byte string. */
  async path(): Promise<string> {
    const { path, isHeld } = this.#handle;
    return isHeld ? readlink(path, "latin1") : toByteString(path);
  }

  /** Returns how many bytes this user can still write to the file system; `Infinity` if the file system does not report it. */
  async freeBytes(): Promise<number> {
    const { bavail, blocks, bsize } = await statfs(this.#handle.path);
    return blocks > 0 ? bavail * bsize : Number.POSITIVE_INFINITY;
  }

  /** Rejects if this user cannot create files in this folder. */
  checkWritable(): Promise<void> {
    return access(this.#handle.path, constants.W_OK | constants.X_OK);
  }

  /** Creates a folder in this one, unless a file of any kind has this name. */
  async make(name: string): Promise<void> {
    await mkdir(this.at(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }

  /** Moves this folder, which stays open. */
  async move(from: Location, parent: Folder, name: string): Promise<void> {
    await rename(from, parent.at(name));
    if (this.isReplaceable) this.#handle = (await parent.folder(name)).#handle;
  }

  chmod(mode: number): Promise<void> {
    return chmod(this.#handle.path, mode);
  }

  utimes(mtime: Date): Promise<void> {
    return utimes(this.#handle.path, mtime, mtime);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Returns the metadata of a path without following links, or `undefined` if the file does not exist. */
export async function lstatIfExists(path: Location): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
