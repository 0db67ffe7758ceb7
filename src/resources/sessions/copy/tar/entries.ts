import { quoted } from "../../../../internal/files/byte-string.js";
import { invalidArchive, limitExceeded } from "../archive-errors.js";
import { ByteReader, truncated } from "./byte-reader.js";
import { compressionOf } from "./compression.js";
import { blockSize, paddingOf, parseHeader, type TarHeader } from "./header.js";
import { type Overrides, parsePax, sparse } from "./pax.js";

/** The limits of an archive. */
export interface ArchiveLimits {
  /** The size of the archive in bytes: content, headers and padding. */
  maxBytes: number;
  /** The number of entries, including those that are left out. */
  maxEntries: number;
}

/** The kind of an entry. A special file is a device or a named pipe. */
export type EntryKind = "file" | "folder" | "symlink" | "hardLink" | "special";

/** An entry of an archive. Paths are byte strings. */
export interface Entry {
  kind: EntryKind;
  path: string;
  /** The target of a link. */
  linkpath: string;
  mode: number;
  mtime: Date;
  size: number;
  /** The content of a file. It must be read before the next entry. */
  content: Content;
}

const kinds: Readonly<Record<string, EntryKind>> = {
  "0": "file",
  "1": "hardLink",
  "2": "symlink",
  "3": "special",
  "4": "special",
  "5": "folder",
  "6": "special",
  // A contiguous file. POSIX says to read it as a regular one.
  "7": "file",
};

const unsupported: Readonly<Record<string, string>> = {
  D: "a folder of an incremental archive, which is not supported",
  M: "a file that begins in another volume, which is not supported",
  S: sparse,
  V: "a volume label, which is not supported",
};

/** The maximum length of a path or link target; the limit of Linux. */
const maxPathBytes = 4_095;
/** The maximum size of a PAX header: names, and an extended attribute of 64 KiB in the formats of all tar programs. */
const maxPaxBytes = 256 * 1024;

/**
 * Reads the entries of a tar archive, with the long names of GNU tar and PAX. The memory is bounded for every stream. Unsupported
 * content is refused rather than skipped: compressed archives, sparse files, unknown types, and anything after the end.
 *
 * This parser exists because libraries expect trusted archives: they decompress automatically, skip unknown entries, and decode
 * names.
 *
 * @throws CriError `INVALID_RESPONSE`, or `RESOURCE_EXHAUSTED` if the archive exceeds a limit
 */
export async function* entriesOf(
  stream: AsyncIterable<Uint8Array>,
  limits: ArchiveLimits,
): AsyncGenerator<Entry, void, undefined> {
  await using reader = new ByteReader(limited(stream, limits.maxBytes));
  let overrides: Overrides = {};
  let count = 0;
  for (let isFirst = true; ; isFirst = false) {
    const block = await reader.read(blockSize);
    if (isFirst) checkUncompressed(block);
    if (block.length < blockSize) throw truncated();
    if (isZero(block)) break;
    const header = parseHeader(block);
    const described = await readOverrides(reader, header);
    if (described) {
      overrides = { ...overrides, ...described };
      continue;
    }
    if (++count > limits.maxEntries) {
      throw limitExceeded(
        `has more than ${limits.maxEntries} entries, the limit of maxEntries; raise maxEntries or copy less at a time`,
      );
    }
    const entry = toEntry({ ...header, ...overrides });
    overrides = {};
    if (entry.size > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const content = new Content(reader, entry.size);
    yield { ...entry, content };
    await reader.skip(content.unreadBytes + paddingOf(entry.size));
  }
  if (Object.keys(overrides).length > 0) throw invalidArchive("ends after a header that describes no entry");
  for (;;) {
    const block = await reader.read(64 * blockSize);
    if (!isZero(block)) throw invalidArchive("continues after its end");
    if (block.length === 0) return;
  }
}

/** Reads a header that describes the next entry. Returns undefined if the header is that of an entry itself. */
async function readOverrides(reader: ByteReader, { type, size }: TarHeader): Promise<Overrides | undefined> {
  if (!/[LKxg]/.test(type)) return undefined;
  const isName = type === "L" || type === "K";
  const maxBytes = isName ? maxPathBytes + 1 : maxPaxBytes;
  if (size > maxBytes) {
    throw invalidArchive(`has a ${isName ? "name" : "PAX header"} of ${size} bytes; at most ${maxBytes} are accepted`);
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
  // A global header describes all entries. A path, size or time that is common to all entries makes no sense.
  if (type === "g" && Object.keys(overrides).length > 0) {
    throw invalidArchive(`has a global PAX header with ${Object.keys(overrides).join(", ")} for all entries`);
  }
  return overrides;
}

/** The content of a file. It is read from the stream on demand. */
export class Content implements AsyncIterable<Buffer> {
  /** The number of unread bytes. */
  unreadBytes: number;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.unreadBytes = size;
  }

  /** Reads the whole content into memory. */
  async whole(): Promise<Buffer> {
    const bytes = await this.#reader.read(this.unreadBytes);
    if (bytes.length < this.unreadBytes) throw truncated();
    this.unreadBytes = 0;
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (this.unreadBytes > 0) {
      const part = await this.#reader.part(this.unreadBytes);
      this.unreadBytes -= part.length;
      yield part;
    }
  }
}

/** Converts and checks a header. */
function toEntry({ type, size, path, linkpath, mode, mtimeMs }: TarHeader): Omit<Entry, "content"> {
  const typeKind = kinds[type];
  if (!typeKind) {
    const what = unsupported[type] ?? `an entry of the unknown type ${JSON.stringify(type)}`;
    throw invalidArchive(`has ${what}: ${quoted(path)}`);
  }
  if (path === "") throw invalidArchive("has an entry without a name");
  for (const name of [path, linkpath]) {
    if (name.length > maxPathBytes) {
      throw invalidArchive(`has a name or link target of ${name.length} bytes; at most ${maxPathBytes} are accepted`);
    }
  }
  const isLink = typeKind === "symlink" || typeKind === "hardLink";
  if (isLink && linkpath === "") throw invalidArchive(`has a link without a target: ${quoted(path)}`);
  // Archives in pre-POSIX formats mark a folder only by the slash at the end of its name.
  const kind = typeKind === "file" && path.endsWith("/") ? "folder" : typeKind;
  if (kind !== "file" && size > 0) throw invalidArchive(`has content for an entry that is not a file: ${quoted(path)}`);
  return { kind, path, linkpath, mode, mtime: new Date(mtimeMs), size };
}

function checkUncompressed(block: Buffer): void {
  const compression = compressionOf(block);
  if (compression !== undefined && !isHeader(block)) {
    throw invalidArchive(`is compressed with ${compression}; tar in the container must send it uncompressed`);
  }
}

/** Returns whether a block is a header, even if it looks like the beginning of a compressed archive. */
function isHeader(block: Buffer): boolean {
  try {
    return block.length === blockSize && parseHeader(block) !== undefined;
  } catch {
    return false;
  }
}

/** Passes a stream through. @throws CriError `RESOURCE_EXHAUSTED` if it is larger than `maxBytes` */
async function* limited(stream: AsyncIterable<Uint8Array>, maxBytes: number) {
  let received = 0;
  for await (const chunk of stream) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

function tooLarge(maxBytes: number) {
  return limitExceeded(
    `is larger than ${maxBytes} bytes, the limit of maxBytes (nine tenths of the free space unless you set it); ` +
      "raise maxBytes or copy less at a time",
  );
}

const zeros = Buffer.alloc(64 * blockSize);

function isZero(block: Buffer): boolean {
  return block.equals(zeros.subarray(0, block.length));
}
