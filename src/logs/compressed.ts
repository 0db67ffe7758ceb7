import { once } from "node:events";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { onAbort } from "../internal/abort.js";
import { logFailure } from "./log-failure.js";
import type { LogFile } from "./log-file.js";

const chunkBytes = 64 * 1024;

/** Returns whether a file begins with the first bytes of gzip's format. No log line begins with these bytes. */
export async function isCompressed(file: LogFile): Promise<boolean> {
  const magic = Buffer.alloc(2);
  return (await file.readAt(magic, 0)) === 2 && magic.readUInt16BE() === 0x1f8b;
}

/** Decompresses a file in chunks. The caller closes the file. @throws CriError `DATA_LOSS` if it is corrupt */
export async function* unzip(file: LogFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  const source = Readable.from(chunksOf(file), { objectMode: false });
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  const stopListening = onAbort(signal, () => void gunzip.destroy());
  try {
    for await (const chunk of source.pipe(gunzip)) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw logFailure(file.path, error);
  } finally {
    stopListening();
    gunzip.destroy();
    source.destroy();
    if (!source.closed) await once(source, "close");
  }
}

async function* chunksOf(file: LogFile): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const count = await file.readAt(chunk, position);
    if (count === 0) return;
    position += count;
    yield chunk.subarray(0, count);
  }
}
