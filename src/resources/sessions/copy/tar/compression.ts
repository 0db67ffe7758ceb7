const magics: readonly (readonly [name: string, magic: Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["compress", Buffer.from([0x1f, 0x9d])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["lz4", Buffer.from([0x04, 0x22, 0x4d, 0x18])],
  ["bzip2", Buffer.from("BZh")],
  ["lzip", Buffer.from("LZIP")],
  ["zip", Buffer.from("PK\u0003\u0004")],
];

/** Recognizes a compressed format by its first bytes. Brotli cannot be recognized. */
export function compressionOf(bytes: Buffer): string | undefined {
  return magics.find(([, magic]) => bytes.subarray(0, magic.length).equals(magic))?.[0];
}
