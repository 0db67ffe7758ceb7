/** Writing and reading single files of a container, and archives that the caller makes or reads. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { CopyProgress, FileData } from "k8s-cri-client";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { end, file as fileEntry, folder as folderEntry } from "../support/tar-blocks.js";
import { type ContainerWithFolder, containerWithFolder, replaceableTar } from "./helpers/container-with-folder.js";
import { eventually, expectCode, failureOf } from "./helpers/expectations.js";
import { countProcesses, outputOf } from "./helpers/in-container.js";
import { journeys, uniqueSeconds } from "./helpers/journeys.js";

const mebibyte = 2 ** 20;

/** Yields chunks of 64 KiB, then waits for `until`, and fails with `error` if there is one. */
async function* slowly(mebibytes: number, until?: Promise<unknown>, error?: Error) {
  for (let sent = 0; sent < mebibytes * 16; sent++) yield Buffer.alloc(64 * 1024, 1);
  await until;
  if (error) throw error;
}

/** Lists the files that this process has open and that have no name any more. */
async function unlinkedFiles(): Promise<string[]> {
  const paths = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => /k8s-cri-client-.*\(deleted\)/.test(path));
}

/** Replaces the `tar` of a container with a script. */
async function replaceTar({ there }: ContainerWithFolder, script: string): Promise<void> {
  await mkdir(join(there, "bin"), { recursive: true });
  await writeFile(join(there, "bin/tar"), `#!/bin/sh\ncd ${there}; ${script}\n`, { mode: 0o755 });
}

/** Records the calls of `onProgress`. */
function recorder() {
  const calls: CopyProgress[] = [];
  return { calls, onProgress: (progress: CopyProgress) => void calls.push(progress) };
}

// Sequential, because the files and sockets of this process are counted.
journeys(
  "file-content",
  (fixture) => {
    test("writes and reads files of 0 bytes, 1 byte and 17 MiB, byte for byte", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      for (const content of [Buffer.alloc(0), Buffer.from([0]), randomBytes(17 * mebibyte)]) {
        const path = `${there}/${content.length}`;
        await container.writeFile(path, content);
        expect((await readFile(path)).equals(content)).toBe(true);
        const read = await container.readFile(path, { maxBytes: 20 * mebibyte });
        expect(Buffer.isBuffer(read) && read.equals(content)).toBe(true);
      }
      await expectCode(container.readFile(`${there}/${17 * mebibyte}`), "RESOURCE_EXHAUSTED");
      await expectCode(container.readFile(`${there}/1`, { maxBytes: 0 }), "RESOURCE_EXHAUSTED");
      expect((await readdir(there)).sort()).toEqual(["0", "1", String(17 * mebibyte)]);
    });

    test("writes to names with spaces, quotes and umlauts, and creates missing folders", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      const folder = `${there}/neuer Ordner/"$(touch x)"`;
      for (const name of ["a b", "größe 東京", "it's", "-rf", "*", "ä".repeat(127)]) {
        await container.writeFile(`${folder}/${name}`, `content of ${name}`);
        expect(await readFile(join(folder, name), "utf8")).toBe(`content of ${name}`);
        expect(await container.readFile(`${folder}/${name}`, { encoding: "utf8" })).toBe(`content of ${name}`);
      }
      expect(await readdir(folder)).toHaveLength(6);
    });

    test("writes the given mode, as the user of the container", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await container.writeFile(`${there}/default`, "");
      await container.writeFile(`${there}/secret`, "", { mode: 0o600 });
      await container.writeFile(`${there}/script`, "#!/bin/sh\necho ran\n", { mode: 0o751 });
      await chmod(join(there, "default"), 0o777);
      await container.writeFile(`${there}/default`, "again");
      const seen = `cd ${there}; stat -c '%a %u' default secret script; ./script; id -u`;
      const user = await outputOf(container, "id -u");
      expect(await outputOf(container, seen)).toBe(`644 ${user}\n600 ${user}\n751 ${user}\nran\n${user}`);
    });

    test("replaces a file or a link, and never a folder", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await writeFile(join(there, "target"), "unchanged");
      await mkdir(join(there, "folder"));
      await symlink("target", join(there, "link"));
      await symlink("folder", join(there, "way"));
      expect(await container.readFile(`${there}/link`, { encoding: "utf8" })).toBe("unchanged");
      await container.writeFile(`${there}/link`, "new");
      expect((await lstat(join(there, "link"))).isFile()).toBe(true);
      expect(await readFile(join(there, "target"), "utf8")).toBe("unchanged");
      for (const name of ["folder", "way"]) {
        const failure = await failureOf(container.writeFile(`${there}/${name}`, randomBytes(mebibyte)));
        expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "containerPath" });
      }
      await container.writeFile(`${there}/way/inside`, "inside");
      expect(await readdir(join(there, "folder"))).toEqual(["inside"]);
    });

    test("writes streams of Node.js and of the web, generators and arrays, with and without their size", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, here, there } = setUp;
      const content = randomBytes(3 * mebibyte);
      await writeFile(join(here, "content"), content);
      const sources: Record<string, () => FileData> = {
        node: () => createReadStream(join(here, "content")),
        web: () => new Blob([content]).stream() as AsyncIterable<Uint8Array>,
        generator: async function* () {
          for (let start = 0; start < content.length; start += 1_000_000)
            yield content.subarray(start, start + 1_000_000);
        },
        array: () => [content.subarray(0, 10), new Uint8Array(), content.subarray(10)],
      };
      for (const [name, source] of Object.entries(sources)) {
        for (const options of [{}, { size: content.length }]) {
          await container.writeFile(`${there}/${name}`, source(), options);
          expect([name, (await readFile(join(there, name))).equals(content)]).toEqual([name, true]);
        }
      }
      await container.writeFile(`${there}/strings`, ["ä", Buffer.from("b"), "", "東"]);
      expect(await readFile(join(there, "strings"), "utf8")).toBe("äb東");
      expect(await unlinkedFiles()).toEqual([]);
    });

    test("a stream that is shorter or longer than its size changes nothing", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await writeFile(join(there, "file"), "old");
      for (const [chunks, size] of [
        [["abc", "d"], 5],
        [["abc", "d"], 3],
        [["abc"], 0],
        [[Buffer.alloc(4 * mebibyte)], 4 * mebibyte + 1],
        [[Buffer.alloc(4 * mebibyte), "x"], 4 * mebibyte],
      ] as const) {
        const failure = await failureOf(container.writeFile(`${there}/file`, chunks, { size }));
        expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "data" });
      }
      await expectCode(container.writeFile(`${there}/file`, slowly(2), { maxBytes: mebibyte }), "RESOURCE_EXHAUSTED");
      await eventually(
        () => readdir(there),
        (names) => names.join() === "file",
      );
      expect(await readFile(join(there, "file"), "utf8")).toBe("old");
      expect(await unlinkedFiles()).toEqual([]);
    });

    test("a write that is aborted, or whose stream fails, leaves the old file and nothing else", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await writeFile(join(there, "file"), "old");
      const reason = new Error("enough");
      const never = new Promise(() => {});
      for (const options of [{ size: 64 * mebibyte }, {}]) {
        const stop = new AbortController();
        const source = Readable.from(slowly(8, never));
        const writing = failureOf(container.writeFile(`${there}/file`, source, { ...options, signal: stop.signal }));
        if ("size" in options) {
          // A part of the file is there under its temporary name.
          await eventually(
            () => readdir(there),
            (names) => names.length === 2,
          );
        } else {
          await eventually(unlinkedFiles, ({ length }) => length === 1);
        }
        stop.abort(reason);
        expect(await writing).toBe(reason);
        expect(source.destroyed).toBe(true);
        const failing = slowly(8, Promise.resolve(), reason);
        expect(await failureOf(container.writeFile(`${there}/file`, failing, options))).toBe(reason);
        await expectCode(
          container.writeFile(`${there}/file`, slowly(2, never), { ...options, timeoutMs: 1_500 }),
          "DEADLINE_EXCEEDED",
        );
        await eventually(
          () => readdir(there),
          (names) => names.join() === "file",
        );
        await eventually(unlinkedFiles, ({ length }) => length === 0);
      }
      expect(await readFile(join(there, "file"), "utf8")).toBe("old");
      await eventually(
        () => countProcesses(container, there),
        (count) => count === 0,
      );
    });

    test("a path that cannot be written fails with the error of the container, also for a large file", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      const large = Buffer.alloc(4 * mebibyte);
      await writeFile(join(there, "file"), large);
      for (const write of [
        () => container.writeFile("/proc/new", large),
        () => container.writeFile(`${there}/file/new`, large),
        () => container.copyTo(join(there, "file"), "/proc/new"),
      ]) {
        const failure = await failureOf(write());
        expect(failure).toMatchObject({ code: expect.stringMatching(/^(COMMAND_FAILED|NOT_FOUND)$/) });
        expect(String(failure)).toMatch(/exit code \d+: .*(\/proc|file|new)/);
      }
    });

    test("reads files in /proc, and refuses folders and missing files", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      expect(await container.readFile("/proc/self/comm", { encoding: "utf8" })).toBe("cat\n");
      await mkdir(join(there, "folder"));
      expect(await failureOf(container.readFile(`${there}/folder`))).toMatchObject({
        code: "INVALID_INPUT",
        field: "containerPath",
        details: expect.stringContaining("is a folder"),
      });
      await expectCode(container.readFile(`${there}/missing`), "NOT_FOUND");
      await expectCode(container.readFile(`${there}/folder/missing`), "NOT_FOUND");
      const stop = AbortSignal.abort(new Error("enough"));
      expect(await failureOf(container.readFile(`${there}/folder`, { signal: stop }))).toBe(stop.reason);
    });

    test("reading an endless file ends at maxBytes, or when it is aborted", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await expectCode(container.readFile("/dev/zero", { maxBytes: mebibyte }), "RESOURCE_EXHAUSTED");
      await expectCode(container.readFile("/dev/zero"), "RESOURCE_EXHAUSTED");
      await outputOf(container, `mkfifo ${there}/pipe`);
      await expectCode(container.readFile(`${there}/pipe`, { timeoutMs: 1_000 }), "DEADLINE_EXCEEDED");
    });

    test("unpacks an archive into an existing folder, from bytes and from a stream", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      const archive = Buffer.concat([
        folderEntry("sub/"),
        fileEntry("sub/a b", "content", { mode: 0o640, mtime: 1_000_000_000 }),
        end,
      ]);
      await mkdir(join(there, "bytes"));
      await mkdir(join(there, "parts"));
      await container.putArchive(`${there}/bytes`, archive);
      await container.putArchive(`${there}/parts/`, [archive.subarray(0, 100), archive.subarray(100)]);
      for (const name of ["bytes", "parts"]) {
        const unpacked = join(there, name, "sub/a b");
        expect(await readFile(unpacked, "utf8")).toBe("content");
        const { mode, mtimeMs } = await lstat(unpacked);
        expect([(mode & 0o777).toString(8), mtimeMs]).toEqual(["640", 1_000_000_000_000]);
      }
      const error = new Error("unreadable");
      expect(await failureOf(container.putArchive(there, slowly(0, Promise.resolve(), error)))).toBe(error);
      await expectCode(container.putArchive(`${there}/missing`, archive), "NOT_FOUND");
      for (const [refused, details] of [
        [gzipSync(archive), /compressed with gzip/],
        [Buffer.alloc(2_000, "no archive"), /is not a tar archive/],
        [Buffer.from("short"), /has 5 bytes/],
        [[], /has 0 bytes/],
        [["a string"], /must consist of Uint8Arrays, got a string/],
      ] as [Buffer, RegExp][]) {
        expect(await failureOf(container.putArchive(there, refused))).toMatchObject({
          code: "INVALID_INPUT",
          field: "archive",
          details: expect.stringMatching(details),
        });
      }
      expect((await readdir(there)).sort()).toEqual(["bytes", "parts"]);
    });

    test("reads a file or folder as an archive that can be unpacked elsewhere", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, there } = setUp;
      await mkdir(join(there, "tree/sub"), { recursive: true });
      await mkdir(join(there, "copy"));
      const content = randomBytes(17 * mebibyte);
      await writeFile(join(there, "tree/sub/größe"), content);
      await symlink("tree", join(there, "link"));
      for (const name of ["tree", "link"]) {
        const names: string[] = [];
        const entries = (await container.getArchive(`${there}/${name}`)).pipe(extract());
        for await (const entry of entries) {
          names.push(entry.header.name);
          entry.resume();
        }
        expect(names.sort()).toEqual(["./", "./sub/", "./sub/größe"]);
      }
      await container.putArchive(`${there}/copy`, await container.getArchive(`${there}/link`));
      expect((await readFile(join(there, "copy/sub/größe"))).equals(content)).toBe(true);
      const single = await buffer(await container.getArchive(`${there}/tree/sub/größe`));
      const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
      expect(digest(single.subarray(512, 512 + content.length))).toBe(digest(content));
      await expectCode(container.getArchive(`${there}/missing`), "NOT_FOUND");
    });

    test("the stream of an archive ends with an error if tar fails, and with the reason if it is aborted", async () => {
      await using setUp = await containerWithFolder(fixture, replaceableTar);
      const { container, there } = setUp;
      await writeFile(join(there, "data"), "data");
      await replaceTar(setUp, "echo partial; echo broken >&2; exit 3");
      const failure = await failureOf(buffer(await container.getArchive(`${there}/data`)));
      expect(failure).toMatchObject({ code: "COMMAND_FAILED", details: expect.stringMatching(/exit code 3: broken/) });
      await replaceTar(setUp, `echo partial; exec sleep ${uniqueSeconds()}`);
      const stop = new AbortController();
      const reason = new Error("enough");
      const reading = failureOf(buffer(await container.getArchive(`${there}/data`, { signal: stop.signal })));
      stop.abort(reason);
      expect(await reading).toBe(reason);
      const limited = await container.getArchive(`${there}/data`, { timeoutMs: 2_000 });
      await expectCode(buffer(limited), "DEADLINE_EXCEEDED");
    });

    test("destroying the stream of an archive ends its session", async () => {
      await using setUp = await containerWithFolder(fixture, replaceableTar);
      const { container, there } = setUp;
      await writeFile(join(there, "data"), "data");
      const unique = uniqueSeconds();
      await replaceTar(setUp, `exec yes ${unique}`);
      const sockets = () =>
        process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|PipeWrap|TLSWrap)$/.test(name)).length;
      const before = sockets();
      for (const leave of [
        async (archive: Readable) => void archive.destroy(),
        async (archive: Readable) => {
          for await (const _ of archive) break;
        },
      ]) {
        const archive = await container.getArchive(`${there}/data`);
        await leave(archive);
        expect(archive.destroyed).toBe(true);
        await eventually(sockets, (count) => count <= before);
        await eventually(
          () => countProcesses(container, `yes ${unique}`),
          (count) => count === 0,
        );
      }
    });

    test("reports the totals of every kind of copy, and fails with the error of onProgress", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, here, there } = setUp;
      await mkdir(join(here, "tree/empty"), { recursive: true });
      await writeFile(join(here, "tree/one"), Buffer.alloc(mebibyte));
      await writeFile(join(here, "tree/two"), "12345");
      await symlink("one", join(here, "tree/link"));
      await mkdir(join(there, "unpacked"));
      await container.copyTo(join(here, "tree"), `${there}/tree`);
      const tree = { entries: 4, contentBytes: mebibyte + 5 };
      const one = { entries: 1, contentBytes: mebibyte };
      type Options = { onProgress: (progress: CopyProgress) => void };
      const archive = await buffer(await container.getArchive(`${there}/tree`));
      const copies: Record<string, [copy: (options: Options) => Promise<unknown>, total: CopyProgress]> = {
        copyTo: [(options) => container.copyTo(join(here, "tree"), `${there}/again`, options), tree],
        copyFrom: [(options) => container.copyFrom(`${there}/tree`, join(here, "back"), options), tree],
        writeFile: [(options) => container.writeFile(`${there}/file`, Buffer.alloc(mebibyte), options), one],
        readFile: [(options) => container.readFile(`${there}/tree/one`, options), one],
        putArchive: [(options) => container.putArchive(`${there}/unpacked`, archive, options), tree],
        getArchive: [async (options) => buffer(await container.getArchive(`${there}/tree`, options)), tree],
      };
      for (const [name, [copy, total]] of Object.entries(copies)) {
        const { calls, onProgress } = recorder();
        await copy({ onProgress });
        expect([name, calls.at(-1)]).toEqual([name, total]);
        const error = new Error("the callback failed");
        const throwing = () => {
          throw error;
        };
        expect([name, await failureOf(copy({ onProgress: throwing }))]).toEqual([name, error]);
      }
      const { calls, onProgress } = recorder();
      const paced = async function* () {
        for (const part of ["a", "b", "c"]) {
          yield part;
          await setTimeout(150);
        }
      };
      await container.writeFile(`${there}/paced`, paced(), { size: 3, onProgress });
      const counted = calls.map(({ contentBytes }) => contentBytes);
      expect(counted).toEqual([...counted].sort());
      expect(calls.length).toBeGreaterThan(1);
      expect(calls.at(-1)).toEqual({ entries: 1, contentBytes: 3 });
    });

    test("options of all copies are checked before any I/O", async () => {
      const container = fixture.cri.containers.get("0".repeat(64));
      const unknown = { onprogress: () => {} };
      for (const copy of [
        container.copyTo("/etc/hosts", "/tmp/x", unknown as object),
        container.copyFrom("/etc/hosts", "/tmp/none/x", unknown as object),
        container.writeFile("/x", "", unknown as object),
        container.readFile("/x", unknown as object),
        container.putArchive("/x", end, unknown as object),
        container.getArchive("/x", unknown as object),
      ]) {
        expect(await failureOf(copy)).toMatchObject({
          field: "onprogress",
          details: expect.stringContaining("onProgress"),
        });
      }
      for (const [call, field] of [
        [container.writeFile("relative", ""), "containerPath"],
        [container.writeFile("/folder/", ""), "containerPath"],
        [container.writeFile("/a\0b", ""), "containerPath"],
        [container.writeFile("/x", 7 as unknown as string), "data"],
        [container.writeFile("/x", new Uint16Array(2) as unknown as string), "data"],
        [container.writeFile("/x", "", { mode: 0o10000 }), "mode"],
        [container.writeFile("/x", "", { mode: "644" as unknown as number }), "mode"],
        [container.writeFile("/x", "abc", { size: 2 }), "data"],
        [container.writeFile("/x", "abc", { size: -1 }), "size"],
        [container.writeFile("/x", "abc", { maxBytes: -1 }), "maxBytes"],
        [container.readFile("/x", { encoding: "latin1" as "utf8" }), "encoding"],
        [container.readFile("/x", { maxBytes: Number.NaN }), "maxBytes"],
        [container.putArchive("x", end), "containerDir"],
        [container.putArchive("/", "text" as unknown as Buffer), "archive"],
        [container.getArchive("/"), "containerPath"],
        [container.getArchive("/x", { onProgress: true as never }), "onProgress"],
      ] as const) {
        expect(await failureOf(call)).toMatchObject({ code: "INVALID_INPUT", field });
      }
    });
  },
  { sequential: true },
);
