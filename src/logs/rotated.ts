import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createGunzip } from "node:zlib";
import { isMissing, logFailure } from "./log-failure.js";

const compressed = ".gz";

/**
 * The files that a log has been rotated to, oldest first, without their `.gz`. The kubelet names them
 * `<log>.<YYYYMMDD-HHMMSS>` and compresses all but the latest; while it does, there is a `.tmp` beside them, and for a moment
 * both files.
 */
export async function rotatedFiles(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw logFailure(path, error);
  });
  const rotated = names
    .filter((name) => name.startsWith(prefix) && /^\d{8}-\d{6}(\.gz)?$/.test(name.slice(prefix.length)))
    .map((name) => join(dirname(path), name.endsWith(compressed) ? name.slice(0, -compressed.length) : name));
  return [...new Set(rotated)].sort();
}

/** The name of a rotated file once it has been compressed. */
export function compressedName(path: string): string {
  return path + compressed;
}

/** The content of a compressed file, bit by bit; nothing when it has been removed. @throws CriError */
export async function* unzip(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on("error", (error) => gunzip.destroy(error));
  const stop = () => void gunzip.destroy();
  try {
    signal.addEventListener("abort", stop, { once: true });
    for await (const chunk of file.pipe(gunzip)) yield chunk;
  } catch (error) {
    if (!isMissing(error)) throw signal.aborted ? error : logFailure(path, error);
  } finally {
    signal.removeEventListener("abort", stop);
    gunzip.destroy();
    file.destroy();
    if (!file.closed) await once(file, "close");
  }
}

/** How long the content of a compressed file is, modulo 2³²: gzip ends in that. `undefined` when there is no such file. */
export async function unzippedSize(path: string): Promise<number | undefined> {
  try {
    const handle = await open(compressedName(path), "r");
    try {
      const { size } = await handle.stat();
      const trailer = Buffer.alloc(4);
      const { bytesRead } = await handle.read(trailer, 0, 4, Math.max(0, size - 4));
      return bytesRead === 4 ? trailer.readUInt32LE() : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
