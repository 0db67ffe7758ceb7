/**
 * Archives that a container may send for a requested folder, and their outcomes.
 *
 * @module
 */
import { brotliCompressSync, gzipSync } from "node:zlib";
import {
  base256,
  end,
  file,
  folder,
  gnuLong,
  hardLink,
  header,
  padded,
  pax,
  record,
  symlink,
} from "../../../../support/tar-blocks.js";

/** The files of the copy, or the error message for a refused archive. */
export type Outcome = readonly string[] | RegExp;

const root = folder("./");
const kept = file("./kept");
const plain = "file 644 kept: content";

const long = "n".repeat(200);
const whole = Buffer.concat([root, file("./file", "x".repeat(600)), end]);
const bytes = (hex: string) => Buffer.concat([Buffer.from(hex, "hex"), Buffer.alloc(2_000, 1)]);
const archives = new Map<string, readonly [Buffer, Outcome]>();

/** Adds an archive with these entries between the root and the end. */
function entries(name: string, parts: readonly Buffer[], outcome: Outcome): void {
  raw(name, Buffer.concat([root, ...parts, end]), outcome);
}

function raw(name: string, archive: Buffer, outcome: Outcome): void {
  if (archives.has(name)) throw new Error(`two archives have the name ${name}`);
  archives.set(name, [archive, outcome]);
}

const outside = /not in the requested folder/;

entries("a parent", [file("../escaped")], outside);
entries("a parent in the middle", [file("./a/../../escaped")], outside);
entries("a parent that leads back into the folder", [file("./a/../kept")], outside);
entries("a parent at the end", [folder("./a/..")], outside);
entries("an absolute name", [file("/tmp/escaped")], outside);
entries("an absolute name by prefix", [file("escaped", "", { prefix: "/tmp" })], outside);
entries("a parent in a PAX name", [pax({ path: "../escaped" }), kept], outside);
entries("a parent in a long name", [gnuLong("L", "../escaped"), kept], outside);
entries(
  "names that only look like parents",
  [file("./..."), file("./..a"), file("./a..")],
  ["file 644 ...: content", "file 644 ..a: content", "file 644 a..: content"],
);

entries(
  "names with redundant parts",
  [file(".//a/.//b"), file("c")],
  ["folder 755 a", "file 644 a/b: content", "file 644 c: content"],
);
entries("the root as a file", [file("./")], outsideOr(/content for an entry that is not a file/));
entries("the root as a file without slash", [file(".")], outside);
entries("the root as a link", [symlink("./", "/tmp")], outside);
entries("an empty name", [file("")], /entry without a name/);
entries("a file whose name ends in a slash", [file("./a/", "")], ["folder 644 a"]);
entries(
  "a file with content whose name ends in a slash",
  [file("./a/")],
  /content for an entry that is not a file: ".\/a\/"/,
);
entries("a name of 255 bytes", [gnuLong("L", `./${"a".repeat(255)}`), kept], [`file 644 ${"a".repeat(255)}: content`]);
entries("a name of 256 bytes", [gnuLong("L", `./${"a".repeat(256)}`), kept], /name of more than 255 bytes/);
entries(
  "a prefix",
  [file("a", "content", { prefix: "./b/c" })],
  ["folder 755 b", "folder 755 b/c", "file 644 b/c/a: content"],
);
entries(
  "no prefix in GNU's own format",
  [file("a", "content", { prefix: "b", magic: "ustar  \0" })],
  ["file 644 a: content"],
);
entries("a header of version 7", [file("a", "content", { prefix: "b", magic: "" })], ["file 644 a: content"]);
entries("a line feed and a control character", [file("./a\nb\x1b[2J")], ["file 644 a\nb\x1b[2J: content"]);
entries("a NUL in a header's name, which ends it", [file("./a\0b")], ["file 644 a: content"]);
entries("a NUL in a PAX name", [pax({ path: "./a\0b" }), kept], /NUL in a name/);
entries("a NUL in a long name", [gnuLong("L", "./a\0b"), kept], /NUL in a name/);
entries(
  "names that differ in case",
  [file("./a", "1"), file("./A", "2"), folder("./B"), file("./b/c", "3")],
  ["file 644 A: 2", "folder 755 B", "file 644 a: 1", "folder 755 b", "file 644 b/c: 3"],
);

entries("a PAX name", [pax({ path: `./${long}` }), kept], [`file 644 ${long}: content`]);
entries("a long name of GNU tar", [gnuLong("L", `./${long}`), kept], [`file 644 ${long}: content`]);
entries("a long link target of GNU tar", [gnuLong("K", `/${long}`), symlink("./a", "x")], [`link a -> /${long}`]);
entries("a PAX link target", [pax({ linkpath: `/${long}` }), symlink("./a", "x")], [`link a -> /${long}`]);
entries("a PAX name is for one entry", [pax({ path: "./a" }), kept, kept], ["file 644 a: content", plain]);
entries(
  "a PAX name of 4,096 bytes",
  [pax({ path: `./${"a/".repeat(2_047)}` }), kept],
  /name or link target of 4096 bytes/,
);
entries("a long name of 4,097 bytes", [gnuLong("L", "a".repeat(4_096)), kept], /name of 4097 bytes/);
entries(
  "a link target of 5,000 bytes",
  [pax({ linkpath: "a".repeat(5_000) }), symlink("./a", "x")],
  /link target of 5000 bytes/,
);
entries("a PAX header of 1 MiB", [pax({ comment: "a".repeat(2 ** 20) }), kept], /PAX header of \d+ bytes; at most/);
entries("a long name of 2 GiB", [header({ type: "L", name: "x", size: 2 ** 31 })], /name of 2147483648 bytes/);
entries("a PAX header with attributes", [pax({ "SCHILY.xattr.user.a": "b\nc=\xff", uid: "9" }), kept], [plain]);
entries("a PAX header without an entry", [pax({ path: "./a" })], /ends after a header/);
entries("a PAX record that is too long", [file("p", "99 path=a\n", { type: "x" }), kept], /malformed PAX header/);
entries("a PAX record without length", [file("p", "path=a\n", { type: "x" }), kept], /malformed PAX header/);
entries("a PAX record of no length", [file("p", "0 path=a\n", { type: "x" }), kept], /malformed PAX header/);
entries("a PAX record without =", [file("p", "7 path\n", { type: "x" }), kept], /malformed PAX header/);
entries("a PAX record without line feed", [file("p", "9 path=ab", { type: "x" }), kept], /malformed PAX header/);
entries("a line feed in a PAX name", [pax({ path: "./a\n12 path=b" }), kept], ["file 644 a\n12 path=b: content"]);
entries("a global header with a comment", [pax({ comment: "abc" }, "g"), kept], [plain]);
entries("a global header with a name", [pax({ path: "./a" }, "g"), kept], /global PAX header with path/);
entries("a global header with a size", [pax({ size: "0" }, "g"), kept], /global PAX header with size/);

const badSize = /invalid size|size is not a number/;
entries("a PAX size", [pax({ size: "7" }), header({ name: "./kept", size: 0 }), padded("content")], [plain]);
entries("a PAX size that is negative", [pax({ size: "-1" }), kept], badSize);
entries("a PAX size in hexadecimal", [pax({ size: "0x7" }), kept], badSize);
entries("a PAX size with an exponent", [pax({ size: "7e0" }), kept], badSize);
entries("a size in binary", [file("./kept", "content", { size: base256(7n, 12) })], [plain]);
entries("a size that is negative in binary", [file("./a", "", { size: base256(-1n, 12) })], badSize);
entries("a size that is huge in binary", [file("./a", "", { size: base256(2n ** 90n, 12) })], badSize);
entries("a size that is garbage", [file("./a", "", { size: "12x4" })], badSize);
entries("a size that is not octal", [file("./a", "", { size: "00000000009" })], badSize);
entries(
  "a size beyond the limit",
  [file("./a", "", { size: 2 ** 33 - 1 })],
  /larger than 10000000 bytes, the limit of maxBytes/,
);
entries("a size with spaces", [file("./kept", "content", { size: "         7 " })], [plain]);
entries(
  "a folder with content",
  [folder("./a", { size: 7 }), padded("content")],
  /content for an entry that is not a file/,
);
entries(
  "a link with content",
  [header({ name: "./a", type: "2", linkname: "b", size: 7 }), padded("content")],
  /content for an entry that is not a file/,
);

const badTime = /invalid time|time is not a number/;
entries("a time before 1970", [file("./kept", "content", { mtime: base256(-86_400n, 12) })], [plain]);
entries("a time with a fraction", [pax({ mtime: "1234.5678" }), kept], [plain]);
entries("a time beyond the range of Date", [file("./a", "", { mtime: base256(2n ** 60n, 12) })], badTime);
entries("a time that is garbage", [file("./a", "", { mtime: "yesterday" })], badTime);
entries("a PAX time that is garbage", [pax({ mtime: "NaN" }), kept], badTime);

entries(
  "setuid, setgid and sticky",
  [file("./a", "", { mode: 0o6755 }), folder("./b", { mode: 0o7777 })],
  ["file 755 a: ", "folder 1777 b"],
);
entries("a mode with undefined bits", [file("./a", "", { mode: 0o7777777 })], ["file 1777 a: "]);
entries("a mode that is garbage", [file("./a", "", { mode: "rwx" })], /mode is not a number/);

const [charDevice, blockDevice, pipe] = ["3", "4", "6"].map((type) => header({ name: `./special${type}`, type }));
entries("devices and pipes are left out", [charDevice, blockDevice, pipe, kept] as Buffer[], [plain]);
entries(
  "a file below a pipe, which was left out",
  [pipe as Buffer, file("./special6/a")],
  ["folder 755 special6", "file 644 special6/a: content"],
);
entries("a contiguous file", [file("./kept", "content", { type: "7" })], [plain]);
entries("a file of version 7", [file("./kept", "content", { type: "\0" })], [plain]);
entries("a sparse file of GNU tar", [file("./a", "content", { type: "S" })], /sparse file, which is not supported/);
entries(
  "a sparse file in a PAX header",
  [pax({ "GNU.sparse.major": "1" }), kept],
  /sparse file, which is not supported/,
);
entries("a second volume", [file("./a", "content", { type: "M" })], /another volume/);
entries("an incremental archive", [file("./a", "content", { type: "D" })], /incremental archive/);
entries("a volume label", [header({ name: "label", type: "V" })], /volume label/);
entries("an unknown type", [file("./a", "content", { type: "Z" })], /unknown type "Z"/);
entries("Solaris' own header", [file("./a", "12 path=../b\n", { type: "X" }), kept], /unknown type "X"/);

const noFile = /hard link to a name that is not an earlier file/;
entries("a hard link", [kept, hardLink("./a/b", "./kept")], ["folder 755 a", "2 file 644 a/b: content", `2 ${plain}`]);
entries(
  "a hard link to a symbolic link",
  [symlink("./a", "/tmp"), hardLink("./b", "a")],
  ["link a -> /tmp", "link b -> /tmp"],
);
entries("a hard link to a parent", [hardLink("./a", "../secret")], noFile);
entries("a hard link to an absolute name", [hardLink("./a", "/etc/passwd")], noFile);
entries(
  "a hard link through a symbolic link",
  [symlink("./a", "/etc"), hardLink("./b", "./a/passwd")],
  /"a" as more than one kind/,
);
entries(
  "a hard link into a folder that does not exist",
  [hardLink("./a", "./b/c")],
  /nothing at "b" where it needs a folder/,
);
entries("a hard link to itself", [hardLink("./a", "./a")], noFile);
entries(
  "a hard link to itself after a file of that name",
  [kept, hardLink("./kept", "./kept")],
  /hard link with the name of another entry/,
);
entries("a hard link to a later file", [hardLink("./a", "./kept"), kept], noFile);
entries("a hard link to a folder", [folder("./a"), hardLink("./b", "./a")], noFile);
entries("a hard link to the root", [hardLink("./a", "./")], noFile);
entries("a hard link to a pipe, which was left out", [pipe as Buffer, hardLink("./a", "./special6")], noFile);
entries("a hard link without target", [hardLink("./a", "")], /link without a target/);
entries(
  "writing to a file with two names changes one",
  [kept, hardLink("./a", "./kept"), file("./kept", "new")],
  ["file 644 a: content", "file 644 kept: new"],
);

const severalKinds = /as more than one kind of file/;
entries(
  "links with arbitrary targets",
  [symlink("./a", "/etc"), symlink("./b", "../.."), symlink("./c", "c")],
  ["link a -> /etc", "link b -> ../..", "link c -> c"],
);
entries("a symbolic link without target", [symlink("./a", "")], /link without a target/);
for (const [what, through] of Object.entries({
  file: file("./a/b"),
  folder: folder("./a/b"),
  link: symlink("./a/b", "x"),
  "hard link": hardLink("./a/b", "./kept"),
})) {
  entries(`a ${what} through a link`, [kept, symlink("./a", "/tmp"), through], severalKinds);
  entries(
    `a link after a ${what} through a folder of that name`,
    [kept, through, symlink("./a", "/tmp")],
    severalKinds,
  );
}
entries("a link, then a file of that name", [symlink("./a", "/tmp/x"), file("./a")], severalKinds);
entries("a file, then a link of that name", [file("./a"), symlink("./a", "/tmp/x")], severalKinds);
entries("a link, then a folder of that name", [symlink("./a", "/tmp"), folder("./a")], severalKinds);
entries("a folder, then a link of that name", [folder("./a"), symlink("./a", "/tmp")], severalKinds);
entries("a folder, then a file of that name", [folder("./a"), file("./a")], severalKinds);
entries("a file, then a folder of that name", [file("./a"), folder("./a")], severalKinds);
entries("the same file again: the last one is kept", [kept, file("./kept", "new")], ["file 644 kept: new"]);
entries("the same link again: the last one is kept", [symlink("./a", "b"), symlink("./a", "c")], ["link a -> c"]);
entries(
  "the same folder again: its files are kept",
  [folder("./a"), file("./a/b"), folder("./a", { mode: 0o700 })],
  ["folder 700 a", "file 644 a/b: content"],
);
entries(
  "a read-only folder that is filled later",
  [folder("./a", { mode: 0o500 }), kept, file("./a/b/c")],
  ["folder 500 a", "folder 755 a/b", "file 644 a/b/c: content", plain],
);

const deep = (depth: number) => `./${"d/".repeat(depth)}`;
const folders = (depth: number) =>
  Array.from({ length: depth }, (_, index) => `folder 755 ${deep(index + 1).slice(2, -1)}`);
entries("100 folders deep", [pax({ path: deep(100) }), folder("x")], folders(100));
entries(
  "a file in 256 folders",
  [pax({ path: `${deep(256)}a` }), kept],
  [...folders(256), `file 644 ${deep(256).slice(2)}a: content`],
);
entries("a file in 257 folders", [pax({ path: `${deep(257)}a` }), kept], /more than 256 nested folders/);
entries("300 folders deep", [pax({ path: deep(300) }), folder("x")], /more than 256 nested folders/);
entries("10,000 folders deep", [pax({ path: deep(10_000) }), folder("x")], /name or link target of 20002 bytes/);

const broken = /is truncated/;
raw("nothing at all", Buffer.alloc(0), broken);
raw("no entries", end, []);
raw("less than a block", Buffer.alloc(100), broken);
raw("one block of zeros as the end", Buffer.concat([root, kept, Buffer.alloc(512)]), [plain]);
raw("zeros up to a whole record", Buffer.concat([root, kept, Buffer.alloc(10_240)]), [plain]);
for (const length of [1, 511, 512, 513, 1_023, 1_024, 1_025, 1_500, 2_047, 2_048]) {
  raw(`cut after ${length} bytes`, whole.subarray(0, length), broken);
}
raw("cut in a long name", Buffer.concat([root, gnuLong("L", long)]).subarray(0, 1_100), broken);
raw("cut in a PAX header", Buffer.concat([root, pax({ path: long })]).subarray(0, 1_100), broken);
raw("entries after the end", Buffer.concat([root, end, kept, end]), /continues after its end/);
raw("garbage after the end", Buffer.concat([root, end, Buffer.from("garbage")]), /continues after its end/);
raw("a block of zeros in the middle", Buffer.concat([root, Buffer.alloc(512), kept, end]), /continues after its end/);
raw("a wrong checksum", Buffer.concat([root, file("./a", "", { wrongBy: 1 }), end]), /wrong checksum/);
raw("garbage", Buffer.alloc(4_096, "garbage"), /checksum is not a number|wrong checksum/);
raw("text instead of an archive", Buffer.from("tar: not found\n".repeat(100)), /checksum/);

raw("gzip", gzipSync(whole), /compressed with gzip; tar in the container must send it uncompressed/);
raw("zstd", bytes("28b52ffd"), /compressed with zstd/);
raw("xz", bytes("fd377a585a00"), /compressed with xz/);
raw("bzip2", bytes("425a68"), /compressed with bzip2/);
raw("lz4", bytes("04224d18"), /compressed with lz4/);
raw("compress", bytes("1f9d"), /compressed with compress/);
raw("zip", bytes("504b0304"), /compressed with zip/);
raw("brotli, which cannot be recognized", Buffer.concat([brotliCompressSync(whole), Buffer.alloc(512, 1)]), /checksum/);
raw("a file whose name looks like bzip2", Buffer.concat([root, file("BZh"), end]), ["file 644 BZh: content"]);
raw("a first file whose name looks like bzip2", Buffer.concat([file("BZh"), end]), ["file 644 BZh: content"]);

entries("PAX records in any number", [file("p", record("a", "b").repeat(2_000), { type: "x" }), kept], [plain]);

function outsideOr(or: RegExp): RegExp {
  return new RegExp(`${outside.source}|${or.source}`);
}

/** The archives by their names, which describe what is unusual about them. */
export const corpus: ReadonlyMap<string, readonly [archive: Buffer, outcome: Outcome]> = archives;
