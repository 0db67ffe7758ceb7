import { type FileHandle, realpath, stat } from "node:fs/promises";
import { CriError } from "../errors.js";
import { openRegular } from "../internal/open-regular.js";
import { skipZeros } from "./line-splitter.js";
import { isMissing, logFailure } from "./log-failure.js";

/** Which file it is, whatever its name: the same through a rename, another one after a rotation. */
export interface FileState {
  readonly id: string;
  readonly size: number;
}

/** The file that a path leads to, or `undefined` when there is none. @throws CriError */
export async function fileState(path: string): Promise<FileState | undefined> {
  try {
    const { dev, ino, size } = await stat(path, { bigint: true });
    return { id: `${dev}:${ino}`, size: Number(size) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw logFailure(path, error);
  }
}

/** Opens a file, or gives `undefined` when there is none. @throws CriError for other reasons */
export async function openIfExists(path: string, log?: string): Promise<LogFile | undefined> {
  try {
    return await LogFile.open(path, log);
  } catch (error) {
    if (CriError.is(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** An open log file and the place up to which it has been read. */
export class LogFile {
  /** The path of the log after all symbolic links: where the next file appears when this one is rotated away. */
  readonly path: string;
  readonly id: string;
  /** Where the next read begins, in bytes. */
  position = 0;
  readonly #handle: FileHandle;
  /** Up to where there is known to be nothing but zero bytes. */
  #zeros = 0;

  private constructor(handle: FileHandle, path: string, id: string) {
    this.#handle = handle;
    this.path = path;
    this.id = id;
  }

  /**
   * Opens a file, which has to be a regular one. Symbolic links are followed: Docker's logs are links.
   *
   * @param log the path of the log, where the file has been rotated away from that
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

  /** Reads on into a buffer; gives the number of bytes, 0 at the end. */
  async read(into: Buffer): Promise<number> {
    const count = await this.readAt(into, this.position);
    this.position += count;
    return count;
  }

  /** Reads from any place into a buffer; gives the number of bytes. */
  async readAt(into: Buffer, position: number): Promise<number> {
    try {
      return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
    } catch (error) {
      throw logFailure(this.path, error);
    }
  }

  /**
   * What the file begins with, without leading zero bytes: up to that many bytes.
   *
   * @returns also where in the file that is
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

  /** How large the file is now, in bytes. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** May be called again. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
