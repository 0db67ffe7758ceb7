import { quoted } from "../../../../internal/files/byte-string.js";
import { invalidArchive, limitExceeded } from "../archive-errors.js";
import { ByteReader, truncated } from "./byte-reader.js";
import { compressionOf } from "./compression.js";
import { blockSize, parseHeader, type TarHeader } from "./header.js";
import { type Overrides, parsePax, sparse } from "./pax.js";

/** What an archive may take. */
export interface ArchiveLimits {
  /** Bytes of the archive: content, headers and padding. */
  maxBytes: number;
  maxEntries: number;
}

/** What an entry of an archive is. A special one is a device or a named pipe. */
export type EntryKind = "file" | "folder" | "symlink" | "hardLink" | "special";

/** An entry of an archive. Names are byte strings. */
export interface Entry {
  kind: EntryKind;
  path: string;
  /** What a link leads to. */
  linkpath: string;
  mode: number;
  mtime: Date;
  size: number;
  /** What a file holds, to be read before the next entry is asked for. */
  content: AsyncIterable<Buffer>;
}

const kinds: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "1": "hardLink",
  "2": "symlink",
  "3": "special",
  "4": "special",
  "5": "folder",
  "6": "special",
  // A contiguous file, which POSIX has everyone read as any other.
  "7": "file",
};

const unsupported: Readonly<Record<string, string>> = {
  D: "a folder of an incremental archive, which is not supported",
  M: "a file that begins in another volume, which is not supported",
  S: sparse,
  V: "a volume label, which is not supported",
};

/** The most bytes of a path or link target, as on Linux. */
const maxPathBytes = 4_095;
/** The most bytes of a PAX header: names, and an extended attribute of 64 KiB in the ways that tars write it. */
const maxPaxBytes = 256 * 1024;

/**
 * Reads the entries of a tar archive, with the long names of GNU tar and PAX. Memory is bounded whatever the stream sends. What is
 * not understood is refused rather than left out: compressed archives, sparse files, unknown types, and anything after the end.
 * Libraries are made for archives that one trusts: they decompress unasked, skip what they do not know, and decode names.
 *
 * @throws CriError `INVALID_RESPONSE`, or `RESOURCE_EXHAUSTED` beyond a limit
 */
export async function* entriesOf(
  stream: AsyncIterable<Uint8Array>,
  limits: ArchiveLimits,
): AsyncGenerator<Entry, void, undefined> {
  await using reader = new ByteReader(within(stream, limits.maxBytes));
  let overrides: Overrides = {};
  let count = 0;
  for (let isFirst = true; ; isFirst = false) {
    const block = await reader.read(blockSize);
    if (isFirst) checkBeginning(block);
    if (block.length < blockSize) throw truncated();
    if (isZero(block)) break;
    const header = parseHeader(block);
    const meta = await metaOf(reader, header);
    if (meta) {
      overrides = { ...overrides, ...meta };
      continue;
    }
    if (++count > limits.maxEntries) {
      throw limitExceeded(
        `has more than ${limits.maxEntries} entries, the limit of maxEntries; raise maxEntries or copy less at a time`,
      );
    }
    const entry = checked({ ...header, ...overrides });
    overrides = {};
    if (entry.size > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const content = new Content(reader, entry.size);
    yield { ...entry, content };
    await reader.skip(content.left + paddingOf(entry.size));
  }
  if (Object.keys(overrides).length > 0) throw invalidArchive("ends after a header that describes no entry");
  for (;;) {
    const block = await reader.read(64 * blockSize);
    if (!isZero(block)) throw invalidArchive("goes on after its end");
    if (block.length === 0) return;
  }
}

/** What a header for the next entry says; nothing if the header is that of an entry itself. */
async function metaOf(reader: ByteReader, { type, size }: TarHeader): Promise<Overrides | undefined> {
  if (!/[LKxg]/.test(type)) return undefined;
  const isName = type === "L" || type === "K";
  const most = isName ? maxPathBytes + 1 : maxPaxBytes;
  if (size > most) {
    throw invalidArchive(`has a ${isName ? "name" : "PAX header"} of ${size} bytes; at most ${most} are accepted`);
  }
  const body = await reader.read(size);
  if (body.length < size) throw truncated();
  await reader.skip(paddingOf(size));
  if (isName) {
    const name = body.toString("latin1").replace(/\0+$/, "");
    if (name.includes("\0")) throw invalidArchive("has a NUL in a name");
    return type === "L" ? { path: name } : { linkpath: name };
  }
  const overrides = parsePax(body);
  // A global header describes all entries. What it may say that matters here makes no sense for more than one.
  if (type === "g" && Object.keys(overrides).length > 0) {
    throw invalidArchive(`has a global PAX header with ${Object.keys(overrides).join(", ")} for all entries`);
  }
  return overrides;
}

/** The content of a file as it arrives. */
class Content implements AsyncIterable<Buffer> {
  /** How many bytes were not read yet. */
  left: number;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for await (const part of this.#reader.take(this.left)) {
      this.left -= part.length;
      yield part;
    }
  }
}

function checked({ type, size, path, linkpath, mode, mtimeMs }: TarHeader): Omit<Entry, "content"> {
  const named = kinds[type];
  if (!named) {
    const what = unsupported[type] ?? `an entry of the unknown type ${JSON.stringify(type)}`;
    throw invalidArchive(`has ${what}: ${quoted(path)}`);
  }
  if (path === "") throw invalidArchive("has an entry without a name");
  for (const name of [path, linkpath]) {
    if (name.length > maxPathBytes) {
      throw invalidArchive(`has a name or link target of ${name.length} bytes; at most ${maxPathBytes} are accepted`);
    }
  }
  const isLink = named === "symlink" || named === "hardLink";
  if (isLink && linkpath === "") throw invalidArchive(`has a link without a target: ${quoted(path)}`);
  // Archives older than POSIX have no type for folders.
  const kind = named === "file" && path.endsWith("/") ? "folder" : named;
  if (kind !== "file" && size > 0) throw invalidArchive(`has content for what is no file: ${quoted(path)}`);
  return { kind, path, linkpath, mode, mtime: new Date(mtimeMs), size };
}

function checkBeginning(block: Buffer): void {
  const compression = compressionOf(block);
  if (compression !== undefined && !isHeader(block)) {
    throw invalidArchive(`is compressed with ${compression}; tar in the container must send it uncompressed`);
  }
}

/** Whether a block is a header rather than, say, the beginning of a compressed archive. */
function isHeader(block: Buffer): boolean {
  try {
    return block.length === blockSize && parseHeader(block) !== undefined;
  } catch {
    return false;
  }
}

async function* within(stream: AsyncIterable<Uint8Array>, maxBytes: number) {
  let received = 0;
  for await (const chunk of stream) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

function tooLarge(maxBytes: number) {
  return limitExceeded(
    `is larger than ${maxBytes} bytes, the limit of maxBytes (nine tenths of the free space unless you set it); raise maxBytes or copy less at a time`,
  );
}

const zeros = Buffer.alloc(64 * blockSize);

function isZero(block: Buffer): boolean {
  return block.equals(zeros.subarray(0, block.length));
}

function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
