import { blockSize, paddingOf, parseHeader, type TarHeader } from "./header.js";
import { parsePax } from "./pax.js";

/** The maximum size of a PAX header that is read for the size of its entry. Larger ones are skipped. */
const maxPaxBytes = 256 * 1024;

/** The types of files, hard links, symbolic links, folders and contiguous files. */
const countedTypes = "01257";

/**
 * Counts the entries of a tar archive, and the bytes of the files in it, while the archive passes in chunks. It never fails: from a
 * malformed header on, it stops counting.
 */
export class EntryCounter {
  /** The number of files, folders and links whose header has passed. The root folder does not count. */
  entries = 0;
  /** The number of bytes of files that have passed. */
  contentBytes = 0;
  /** The beginning of a header, of which `#missing` more bytes are needed. */
  #parts: Uint8Array[] = [];
  #missing = blockSize;
  /** Parses the complete header. Returns false at the end of the archive. */
  #parse: (header: Buffer) => boolean = this.#parseHeader;
  /** The bytes before the next header: content and padding. */
  #contentLeft = 0;
  #paddingLeft = 0;
  /** The size from a PAX header. It overrides the one in the header of the entry. */
  #paxSize: number | undefined;
  #stopped = false;

  add(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0 && !this.#stopped; ) {
      if (this.#contentLeft > 0) {
        const taken = Math.min(rest.length, this.#contentLeft);
        this.#contentLeft -= taken;
        this.contentBytes += taken;
        rest = rest.subarray(taken);
      } else if (this.#paddingLeft > 0) {
        const taken = Math.min(rest.length, this.#paddingLeft);
        this.#paddingLeft -= taken;
        rest = rest.subarray(taken);
      } else {
        const part = rest.subarray(0, this.#missing);
        this.#parts.push(part);
        this.#missing -= part.length;
        rest = rest.subarray(part.length);
        if (this.#missing === 0) this.#next();
      }
    }
  }

  #next(): void {
    const header = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#missing = blockSize;
    try {
      this.#stopped = !this.#parse(header);
    } catch {
      this.#stopped = true;
    }
  }

  #parseHeader(block: Buffer): boolean {
    // The archive ends with blocks of zeros.
    if (block.every((byte) => byte === 0)) return false;
    const header = parseHeader(block);
    const { type, size } = header;
    if (type === "x" && size > 0 && size <= maxPaxBytes) {
      this.#missing = size;
      this.#parse = this.#parsePax;
    } else if (/[xgLK]/.test(type)) {
      this.#paddingLeft = size + paddingOf(size);
    } else {
      this.#startEntry(header);
    }
    return true;
  }

  #parsePax(body: Buffer): boolean {
    this.#parse = this.#parseHeader;
    this.#paddingLeft = paddingOf(body.length);
    this.#paxSize = parsePax(body).size;
    return true;
  }

  #startEntry({ type, path, size: headerSize }: TarHeader): void {
    const size = this.#paxSize ?? headerSize;
    this.#paxSize = undefined;
    if (countedTypes.includes(type) && !/^\.?\/?$/.test(path)) this.entries++;
    this.#contentLeft = size;
    this.#paddingLeft = paddingOf(size);
  }
}
