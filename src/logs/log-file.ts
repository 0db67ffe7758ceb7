import { readSync } from "node:fs";
import { type FileHandle, realpath, stat } from "node:fs/promises";
import { CriError } from "../errors.js";
import { openRegular } from "../internal/files/open-regular.js";
import { skipZeros } from "./line-splitter.js";
import { isMissing, logFailure } from "./log-failure.js";

/** The identity of a file, which stays the same when the file is renamed, and its size. */
export interface FileState {
  readonly id: string;
  readonly size: number;
}

/** Returns the state of the file at a path, or `undefined` if there is none. @throws CriError */
export async function fileState(path: string): Promise<FileState | undefined> {
  try {
    const { dev, ino, size } = await stat(path, { bigint: true });
    return { id: `${dev}:${ino}`, size: Number(size) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw logFailure(path, error);
  }
}

/** Opens a file, or returns `undefined` if it does not exist. @throws CriError if it cannot be opened */
export async function openIfExists(path: string, log?: string): Promise<LogFile | undefined> {
  try {
    return await LogFile.open(path, log);
  } catch (error) {
    if (CriError.is(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** An open log file with a read position. */
export class LogFile {
  /** The path of the log with symbolic links resolved, where the next file appears after a rotation. */
  readonly path: string;
  readonly id: string;
  /** Where the next read begins, in bytes. */
  position = 0;
  readonly #handle: FileHandle;
  /** How many zero bytes the file is known to begin with. */
  #zeros = 0;

  private constructor(handle: FileHandle, path: string, id: string) {
    this.#handle = handle;
    this.path = path;
    this.id = id;
  }

  /**
   * Opens a regular file. Symbolic links are followed, because Docker's logs are links.
   *
   * @param log the path of the log, if the file is a rotated file
   * @throws CriError `NOT_FOUND`, `FAILED_PRECONDITION` for a named pipe, a device and so on, and others
   */
  static async open(path: string, log?: string): Promise<LogFile> {
    let handle: FileHandle | undefined;
    try {
      const real = await realpath(path);
      handle = await openRegular(real);
      const { dev, ino } = await handle.stat({ bigint: true });
      return new LogFile(handle, log ?? real, `${dev}:${ino}`);
    } catch (error) {
      await handle?.close();
      throw logFailure(path, error);
    }
  }

  /** Reads from the current position into a buffer. Returns the number of bytes, 0 at the end of the file. */
  async read(into: Buffer): Promise<number> {
    const count = await this.readAt(into, this.position);
    this.position += count;
    return count;
  }

  /** Reads like {@link read}, but without another thread. Only for bytes that are in memory, because they were written just now. */
  readNow(into: Buffer): number {
    try {
      const count = readSync(this.#handle.fd, into, 0, into.length, this.position);
      this.position += count;
      return count;
    } catch (error) {
      throw logFailure(this.path, error);
    }
  }

  /** Reads from a position into a buffer. Returns the number of bytes. */
  async readAt(into: Buffer, position: number): Promise<number> {
    try {
      return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
    } catch (error) {
      throw logFailure(this.path, error);
    }
  }

  /**
   * Reads the beginning of the file behind leading zero bytes.
   *
   * @param bytes the maximum length
   * @returns the beginning and its offset in the file
   */
  async head(bytes: number): Promise<{ head: Buffer; offset: number }> {
    const block = Buffer.allocUnsafe(bytes);
    for (;;) {
      const count = await this.readAt(block, this.#zeros);
      const zeros = skipZeros(block, 0, count);
      if (zeros === 0) return { head: block.subarray(0, count), offset: this.#zeros };
      this.#zeros += zeros;
    }
  }

  /** Returns the current size of the file in bytes. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Closes the file. May be called more than once. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
