/** Writing and reading single files of a container, and archives that the caller creates or reads. */
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
import { outputOf, waitForProcesses } from "./helpers/in-container.js";
import { journeys, uniqueSeconds } from "./helpers/journeys.js";

const mebibyte = 2 ** 20;

/** Yields `mebibytes` MiB in chunks of 64 KiB, then waits for `beforeEnd`. Throws `error` if it is given. */
async function* chunksOf(mebibytes: number, beforeEnd?: Promise<unknown>, error?: Error) {
  for (let sent = 0; sent < mebibytes * 16; sent++) yield Buffer.alloc(64 * 1024, 1);
  await beforeEnd;
  if (error) throw error;
}

/** Lists the open files of this process that were already deleted. */
async function unlinkedFiles(): Promise<string[]> {
  const paths = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => /k8s-cri-client-.*\(deleted\)/.test(path));
}

/** Replaces the `tar` of a container with a script. */
async function replaceTar({ shared }: ContainerWithFolder, script: string): Promise<void> {
  await mkdir(join(shared, "bin"), { recursive: true });
  await writeFile(join(shared, "bin/tar"), `#!/bin/sh\ncd ${shared}; ${script}\n`, { mode: 0o755 });
}

/** Records the calls of `onProgress`. */
function recorder() {
  const calls: CopyProgress[] = [];
  return { calls, onProgress: (progress: CopyProgress) => void calls.push(progress) };
}

// Sequential, because the tests count the open files and sockets of this process.
journeys(
  "file-content",
  (fixture) => {
    test("writes and reads files of 0 bytes, 1 byte and 17 MiB, byte for byte", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      for (const content of [Buffer.alloc(0), Buffer.from([0]), randomBytes(17 * mebibyte)]) {
        const path = `${shared}/${content.length}`;
        await container.writeFile(path, content);
        expect((await readFile(path)).equals(content)).toBe(true);
        const read = await container.readFile(path, { maxBytes: 20 * mebibyte });
        expect(Buffer.isBuffer(read) && read.equals(content)).toBe(true);
      }
      await expectCode(container.readFile(`${shared}/${17 * mebibyte}`), "RESOURCE_EXHAUSTED");
      await expectCode(container.readFile(`${shared}/1`, { maxBytes: 0 }), "RESOURCE_EXHAUSTED");
      expect((await readdir(shared)).sort()).toEqual(["0", "1", String(17 * mebibyte)]);
    });

    test("writes to names with spaces, quotes and umlauts, and creates missing folders", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      const folder = `${shared}/neuer Ordner/"$(touch x)"`;
      for (const name of ["a b", "größe 東京", "it's", "-rf", "*", "ä".repeat(127)]) {
        await container.writeFile(`${folder}/${name}`, `content of ${name}`);
        expect(await readFile(join(folder, name), "utf8")).toBe(`content of ${name}`);
        expect(await container.readFile(`${folder}/${name}`, { encoding: "utf8" })).toBe(`content of ${name}`);
      }
      expect(await readdir(folder)).toHaveLength(6);
    });

    test("files get the given mode, and belong to the user of the container", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await container.writeFile(`${shared}/default`, "");
      await container.writeFile(`${shared}/secret`, "", { mode: 0o600 });
      await container.writeFile(`${shared}/script`, "#!/bin/sh\necho ran\n", { mode: 0o751 });
      await chmod(join(shared, "default"), 0o777);
      await container.writeFile(`${shared}/default`, "again");
      const script = `cd ${shared}; stat -c '%a %u' default secret script; ./script; id -u`;
      const user = await outputOf(container, "id -u");
      expect(await outputOf(container, script)).toBe(`644 ${user}\n600 ${user}\n751 ${user}\nran\n${user}`);
    });

    test("replaces a file or a link, and never a folder", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await writeFile(join(shared, "target"), "unchanged");
      await mkdir(join(shared, "folder"));
      await symlink("target", join(shared, "link"));
      await symlink("folder", join(shared, "way"));
      expect(await container.readFile(`${shared}/link`, { encoding: "utf8" })).toBe("unchanged");
      await container.writeFile(`${shared}/link`, "new");
      expect((await lstat(join(shared, "link"))).isFile()).toBe(true);
      expect(await readFile(join(shared, "target"), "utf8")).toBe("unchanged");
      for (const name of ["folder", "way"]) {
        const failure = await failureOf(container.writeFile(`${shared}/${name}`, randomBytes(mebibyte)));
        expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "containerPath" });
      }
      await container.writeFile(`${shared}/way/inside`, "inside");
      expect(await readdir(join(shared, "folder"))).toEqual(["inside"]);
    });

    test("writes streams of Node.js and of the web, generators and arrays, with and without their size", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, local, shared } = setUp;
      const content = randomBytes(3 * mebibyte);
      await writeFile(join(local, "content"), content);
      const sources: Record<string, () => FileData> = {
        node: () => createReadStream(join(local, "content")),
        web: () => new Blob([content]).stream() as AsyncIterable<Uint8Array>,
        generator: async function* () {
          for (let start = 0; start < content.length; start += 1_000_000)
            yield content.subarray(start, start + 1_000_000);
        },
        array: () => [content.subarray(0, 10), new Uint8Array(), content.subarray(10)],
      };
      for (const [name, source] of Object.entries(sources)) {
        for (const options of [{}, { size: content.length }]) {
          await container.writeFile(`${shared}/${name}`, source(), options);
          expect([name, (await readFile(join(shared, name))).equals(content)]).toEqual([name, true]);
        }
      }
      await container.writeFile(`${shared}/strings`, ["ä", Buffer.from("b"), "", "東"]);
      expect(await readFile(join(shared, "strings"), "utf8")).toBe("äb東");
      expect(await unlinkedFiles()).toEqual([]);
    });

    test("a stream that is shorter or longer than its size changes nothing", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await writeFile(join(shared, "file"), "old");
      for (const [chunks, size] of [
        [["abc", "d"], 5],
        [["abc", "d"], 3],
        [["abc"], 0],
        [[Buffer.alloc(4 * mebibyte)], 4 * mebibyte + 1],
        [[Buffer.alloc(4 * mebibyte), "x"], 4 * mebibyte],
      ] as const) {
        const failure = await failureOf(container.writeFile(`${shared}/file`, chunks, { size }));
        expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "data" });
      }
      await expectCode(
        container.writeFile(`${shared}/file`, chunksOf(2), { maxBytes: mebibyte }),
        "RESOURCE_EXHAUSTED",
      );
      await eventually(
        () => readdir(shared),
        (names) => names.join() === "file",
      );
      expect(await readFile(join(shared, "file"), "utf8")).toBe("old");
      expect(await unlinkedFiles()).toEqual([]);
    });

    test("a write that is aborted, or whose stream fails, leaves the old file and nothing else", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await writeFile(join(shared, "file"), "old");
      const reason = new Error("enough");
      const never = new Promise(() => {});
      for (const options of [{ size: 64 * mebibyte }, {}]) {
        const stop = new AbortController();
        const source = Readable.from(chunksOf(8, never));
        const writing = failureOf(container.writeFile(`${shared}/file`, source, { ...options, signal: stop.signal }));
        if ("size" in options) {
          // Waits until a part of the file exists under its temporary name.
          await eventually(
            () => readdir(shared),
            (names) => names.length === 2,
          );
        } else {
          await eventually(unlinkedFiles, ({ length }) => length === 1);
        }
        stop.abort(reason);
        expect(await writing).toBe(reason);
        expect(source.destroyed).toBe(true);
        const failing = chunksOf(8, Promise.resolve(), reason);
        expect(await failureOf(container.writeFile(`${shared}/file`, failing, options))).toBe(reason);
        await expectCode(
          container.writeFile(`${shared}/file`, chunksOf(2, never), { ...options, timeoutMs: 1_500 }),
          "DEADLINE_EXCEEDED",
        );
        await eventually(
          () => readdir(shared),
          (names) => names.join() === "file",
        );
        await eventually(unlinkedFiles, ({ length }) => length === 0);
      }
      expect(await readFile(join(shared, "file"), "utf8")).toBe("old");
      await waitForProcesses(container, shared, 0);
    });

    test("writing to a path that is not writable fails with the error of the container, also for a large file", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      const large = Buffer.alloc(4 * mebibyte);
      await writeFile(join(shared, "file"), large);
      for (const write of [
        () => container.writeFile("/proc/new", large),
        () => container.writeFile(`${shared}/file/new`, large),
        () => container.copyTo(join(shared, "file"), "/proc/new"),
      ]) {
        const failure = await failureOf(write());
        expect(failure).toMatchObject({ code: expect.stringMatching(/^(COMMAND_FAILED|NOT_FOUND)$/) });
        expect(String(failure)).toMatch(/exit code \d+: .*(\/proc|file|new)/);
      }
    });

    test("reads files in /proc, and refuses folders and missing files", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      expect(await container.readFile("/proc/self/comm", { encoding: "utf8" })).toBe("cat\n");
      await mkdir(join(shared, "folder"));
      expect(await failureOf(container.readFile(`${shared}/folder`))).toMatchObject({
        code: "INVALID_INPUT",
        field: "containerPath",
        details: expect.stringContaining("is a folder"),
      });
      await expectCode(container.readFile(`${shared}/missing`), "NOT_FOUND");
      await expectCode(container.readFile(`${shared}/folder/missing`), "NOT_FOUND");
      const stop = AbortSignal.abort(new Error("enough"));
      expect(await failureOf(container.readFile(`${shared}/folder`, { signal: stop }))).toBe(stop.reason);
    });

    test("reading an endless file fails at maxBytes, and reading an empty pipe fails at the deadline", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await expectCode(container.readFile("/dev/zero", { maxBytes: mebibyte }), "RESOURCE_EXHAUSTED");
      await expectCode(container.readFile("/dev/zero"), "RESOURCE_EXHAUSTED");
      await outputOf(container, `mkfifo ${shared}/pipe`);
      await expectCode(container.readFile(`${shared}/pipe`, { timeoutMs: 1_000 }), "DEADLINE_EXCEEDED");
    });

    test("unpacks an archive into an existing folder, from bytes and from a stream", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      const archive = Buffer.concat([
        folderEntry("sub/"),
        fileEntry("sub/a b", "content", { mode: 0o640, mtime: 1_000_000_000 }),
        end,
      ]);
      await mkdir(join(shared, "bytes"));
      await mkdir(join(shared, "parts"));
      await container.putArchive(`${shared}/bytes`, archive);
      await container.putArchive(`${shared}/parts/`, [archive.subarray(0, 100), archive.subarray(100)]);
      for (const name of ["bytes", "parts"]) {
        const unpacked = join(shared, name, "sub/a b");
        expect(await readFile(unpacked, "utf8")).toBe("content");
        const { mode, mtimeMs } = await lstat(unpacked);
        expect([(mode & 0o777).toString(8), mtimeMs]).toEqual(["640", 1_000_000_000_000]);
      }
      const error = new Error("unreadable");
      expect(await failureOf(container.putArchive(shared, chunksOf(0, Promise.resolve(), error)))).toBe(error);
      await expectCode(container.putArchive(`${shared}/missing`, archive), "NOT_FOUND");
      for (const [refused, details] of [
        [gzipSync(archive), /compressed with gzip/],
        [Buffer.alloc(2_000, "no archive"), /is not a tar archive/],
        [Buffer.from("short"), /has 5 bytes/],
        [[], /has 0 bytes/],
        [["a string"], /must consist of Uint8Arrays, got a string/],
      ] as [Buffer, RegExp][]) {
        expect(await failureOf(container.putArchive(shared, refused))).toMatchObject({
          code: "INVALID_INPUT",
          field: "archive",
          details: expect.stringMatching(details),
        });
      }
      expect((await readdir(shared)).sort()).toEqual(["bytes", "parts"]);
    });

    test("reads a file or folder as an archive that can be unpacked elsewhere", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, shared } = setUp;
      await mkdir(join(shared, "tree/sub"), { recursive: true });
      await mkdir(join(shared, "copy"));
      const content = randomBytes(17 * mebibyte);
      await writeFile(join(shared, "tree/sub/größe"), content);
      await symlink("tree", join(shared, "link"));
      for (const name of ["tree", "link"]) {
        const names: string[] = [];
        const entries = (await container.getArchive(`${shared}/${name}`)).pipe(extract());
        for await (const entry of entries) {
          names.push(entry.header.name);
          entry.resume();
        }
        expect(names.sort()).toEqual(["./", "./sub/", "./sub/größe"]);
      }
      await container.putArchive(`${shared}/copy`, await container.getArchive(`${shared}/link`));
      expect((await readFile(join(shared, "copy/sub/größe"))).equals(content)).toBe(true);
      const single = await buffer(await container.getArchive(`${shared}/tree/sub/größe`));
      const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
      expect(digest(single.subarray(512, 512 + content.length))).toBe(digest(content));
      await expectCode(container.getArchive(`${shared}/missing`), "NOT_FOUND");
    });

    test("the stream of an archive fails if tar fails, and rejects with the signal's reason on abort", async () => {
      await using setUp = await containerWithFolder(fixture, replaceableTar);
      const { container, shared } = setUp;
      await writeFile(join(shared, "data"), "data");
      await replaceTar(setUp, "echo partial; echo broken >&2; exit 3");
      const failure = await failureOf(buffer(await container.getArchive(`${shared}/data`)));
      expect(failure).toMatchObject({ code: "COMMAND_FAILED", details: expect.stringMatching(/exit code 3: broken/) });
      await replaceTar(setUp, `echo partial; exec sleep ${uniqueSeconds()}`);
      const stop = new AbortController();
      const reason = new Error("enough");
      const reading = failureOf(buffer(await container.getArchive(`${shared}/data`, { signal: stop.signal })));
      stop.abort(reason);
      expect(await reading).toBe(reason);
      const limited = await container.getArchive(`${shared}/data`, { timeoutMs: 2_000 });
      await expectCode(buffer(limited), "DEADLINE_EXCEEDED");
    });

    test("destroying the stream of an archive ends its session", async () => {
      await using setUp = await containerWithFolder(fixture, replaceableTar);
      const { container, shared } = setUp;
      await writeFile(join(shared, "data"), "data");
      const unique = uniqueSeconds();
      await replaceTar(setUp, `exec yes ${unique}`);
      const sockets = () =>
        process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|PipeWrap|TLSWrap)$/.test(name)).length;
      const before = sockets();
      for (const cancel of [
        async (archive: Readable) => void archive.destroy(),
        async (archive: Readable) => {
          for await (const _ of archive) break;
        },
      ]) {
        const archive = await container.getArchive(`${shared}/data`);
        await cancel(archive);
        expect(archive.destroyed).toBe(true);
        await eventually(sockets, (count) => count <= before);
        await waitForProcesses(container, `yes ${unique}`, 0);
      }
    });

    test("reports the totals of every kind of copy, and fails with the error of onProgress", async () => {
      await using setUp = await containerWithFolder(fixture);
      const { container, local, shared } = setUp;
      await mkdir(join(local, "tree/empty"), { recursive: true });
      await writeFile(join(local, "tree/one"), Buffer.alloc(mebibyte));
      await writeFile(join(local, "tree/two"), "12345");
      await symlink("one", join(local, "tree/link"));
      await mkdir(join(shared, "unpacked"));
      await container.copyTo(join(local, "tree"), `${shared}/tree`);
      const tree = { entries: 4, contentBytes: mebibyte + 5 };
      const one = { entries: 1, contentBytes: mebibyte };
      type Options = { onProgress: (progress: CopyProgress) => void };
      const archive = await buffer(await container.getArchive(`${shared}/tree`));
      const copies: Record<string, [copy: (options: Options) => Promise<unknown>, total: CopyProgress]> = {
        copyTo: [(options) => container.copyTo(join(local, "tree"), `${shared}/again`, options), tree],
        copyFrom: [(options) => container.copyFrom(`${shared}/tree`, join(local, "back"), options), tree],
        writeFile: [(options) => container.writeFile(`${shared}/file`, Buffer.alloc(mebibyte), options), one],
        readFile: [(options) => container.readFile(`${shared}/tree/one`, options), one],
        putArchive: [(options) => container.putArchive(`${shared}/unpacked`, archive, options), tree],
        getArchive: [async (options) => buffer(await container.getArchive(`${shared}/tree`, options)), tree],
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
      await container.writeFile(`${shared}/paced`, paced(), { size: 3, onProgress });
      const counted = calls.map(({ contentBytes }) => contentBytes);
      expect(counted).toEqual([...counted].sort());
      expect(calls.length).toBeGreaterThan(1);
      expect(calls.at(-1)).toEqual({ entries: 1, contentBytes: 3 });
    });

    test("the options of all copies are checked before any I/O", async () => {
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
