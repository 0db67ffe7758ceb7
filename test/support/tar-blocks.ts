/**
 * Builds tar archives block by block, including malformed ones.
 *
 * @module
 */

/** The fields of a header. Strings are latin1, so that tests can use any bytes. Values longer than their field are cut off. */
export interface BlockFields {
  name?: string;
  type?: string;
  /** A number, which is written in octal, or the raw field. */
  mode?: number | string;
  size?: number | string;
  mtime?: number | string;
  linkname?: string;
  prefix?: string;
  magic?: string;
  /** Added to the correct checksum. */
  wrongBy?: number;
}

/** Builds the header of an entry. */
export function header(fields: BlockFields): Buffer {
  const { name = "", type = "0", mode = 0o644, size = 0, mtime = 1_000_000_000, linkname = "", prefix = "" } = fields;
  const block = Buffer.alloc(512);
  const put = (at: number, length: number, value: number | string) => {
    const octal = typeof value === "number" ? value.toString(8).padStart(length - 1, "0") : value;
    block.write(octal, at, length, "latin1");
  };
  put(0, 100, name);
  put(100, 8, mode);
  put(124, 12, size);
  put(136, 12, mtime);
  put(156, 1, type);
  put(157, 100, linkname);
  put(257, 8, fields.magic ?? "ustar\x0000");
  put(345, 155, prefix);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, fields.wrongBy ?? 0);
  put(148, 8, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Pads content to whole blocks. */
export function padded(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export function file(name: string, content = "content", fields: BlockFields = {}): Buffer {
  return Buffer.concat([header({ name, size: content.length, ...fields }), padded(content)]);
}

export function folder(name: string, fields: BlockFields = {}): Buffer {
  return header({ name, type: "5", mode: 0o755, ...fields });
}

export function symlink(name: string, linkname: string): Buffer {
  return header({ name, type: "2", mode: 0o777, linkname });
}

export function hardLink(name: string, linkname: string): Buffer {
  return header({ name, type: "1", linkname });
}

/** Builds a PAX header for the next entry, or with type `g` for all entries. Values are latin1. */
export function pax(records: Record<string, string>, type = "x"): Buffer {
  const body = Object.entries(records).map(([key, value]) => record(key, value));
  return file("./PaxHeaders/entry", body.join(""), { type });
}

/** Builds a record of a PAX header. Its length includes its own digits. */
export function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return `${length}${rest}`;
}

/** Builds the header of GNU tar with the name (type `L`) or the link target (`K`) of the next entry. */
export function gnuLong(type: "L" | "K", name: string): Buffer {
  return file("././@LongLink", `${name}\0`, { type });
}

/** The end of an archive. */
export const end = Buffer.alloc(1_024);

/** Encodes a number like GNU tar if it has too many octal digits or is negative. */
export function base256(value: bigint, length: number): string {
  const marked = BigInt.asUintN(8 * length, value) | (1n << BigInt(8 * length - 1));
  return Buffer.from(marked.toString(16).padStart(2 * length, "0"), "hex").toString("latin1");
}
