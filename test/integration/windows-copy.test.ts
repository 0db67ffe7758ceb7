/**
 * Copies to and from a Windows container. The container is a script that understands the command lines of bsdtar. It has a folder
 * `C:\site` with the file `index.html`.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Container, InvalidInputError } from "k8s-cri-client";
import { FakeRuntime } from "k8s-cri-client/testing";
import { extract, pack } from "tar-stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { skipOnWindows } from "../support/platform.js";

const kinds: Record<string, string> = { "C:\\ ./site": "dir", "C:\\site ./index.html": "file" };

let commands: string[][] = [];
let received: Record<string, string> = {};

interface Streams {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
}

/** Acts as `tar.exe`: lists a path in mtree format, sends an archive, or receives one. */
async function tar([, mode = "", , ...args]: readonly string[], { stdin, stdout, stderr }: Streams): Promise<number> {
  const [folder = "", name = ""] = args.slice(args.indexOf("-C") + 1);
  if (args.includes("--format=mtree")) {
    const kind = kinds[`${folder} ${name}`];
    if (kind !== undefined) stdout.write(`#mtree\r\n${name} type=${kind}\r\n`);
    else stderr.write(`tar.exe: ${name}: Cannot stat: No such file or directory\r\n`);
    return kind === undefined ? 1 : 0;
  }
  if (mode.startsWith("-x")) {
    const entries = extract();
    entries.on("entry", async (header, content, next) => {
      received[header.name] = header.type === "file" ? await text(content) : header.type;
      content.resume();
      next();
    });
    await pipeline(stdin, entries);
    return 0;
  }
  const archive = pack();
  if (name === ".") archive.entry({ name: "./", type: "directory" });
  archive.entry({ name: name === "." ? "./index.html" : name }, "<p>hello");
  archive.finalize();
  stdout.write(await buffer(archive));
  return 0;
}

let runtime: FakeRuntime;
let container: Container;
let folder: string;

beforeAll(async () => {
  runtime = await FakeRuntime.start({
    exec: (_container, command) => {
      commands.push([...command]);
      return (streams) => tar(command, streams);
    },
  });
  const cri = await runtime.connect();
  const pod = await cri.pods.run({ name: "windows", windows: {} });
  container = await pod.runContainer({ name: "main", image: "nanoserver:1" });
});
afterAll(() => runtime.stop());

beforeEach(async () => {
  [commands, received] = [[], {}];
  folder = await mkdtemp(join(tmpdir(), "windows-copy-"));
  return () => rm(folder, { recursive: true });
});

const findCommand = (parent: string, name: string) => [
  ...["tar.exe", "-cnHf", "-", "--format=mtree", "--options=!all,type", "-C", parent, name],
];
const unpackCommand = ["tar.exe", "-xPf", "-", "--options=hdrcharset=UTF-8", "-C", "C:\\"];

describe("copyTo", () => {
  beforeEach(async () => {
    await mkdir(join(folder, "src/sub"), { recursive: true });
    await writeFile(join(folder, "src/sub/ü.txt"), "content");
  });

  test("creates a folder with its parents by names below the root of the drive", async () => {
    await container.copyTo(join(folder, "src"), "C:/new/place");
    expect(commands).toEqual([findCommand("C:\\new", "./place"), unpackCommand]);
    expect(received).toEqual({
      "./new/place/": "directory",
      "./new/place/sub/": "directory",
      "./new/place/sub/ü.txt": "content",
    });
  });

  test("adds files to an existing folder", async () => {
    await container.copyTo(join(folder, "src"), "C:\\site");
    expect(Object.keys(received)).toEqual(["./site/sub/", "./site/sub/ü.txt"]);
  });

  test("copies a file", async () => {
    await container.copyTo(join(folder, "src/sub/ü.txt"), "C:\\site\\index.html");
    expect(received).toEqual({ "./site/index.html": "content" });
  });

  test("copies into a folder, such as the root of the drive", async () => {
    const file = join(folder, "src/sub/ü.txt");
    await container.copyTo(file, "C:\\site", { intoFolder: true });
    await container.copyTo(file, "C:\\", { intoFolder: true });
    expect(Object.keys(received)).toEqual(["./site/ü.txt", "./ü.txt"]);
  });

  test("refuses a file where a folder is, and the reverse", async () => {
    const file = join(folder, "src/sub/ü.txt");
    await expect(container.copyTo(file, "C:\\site")).rejects.toThrow("add the name of the file: C:\\site\\ü.txt");
    await expect(container.copyTo(file, "C:\\other\\")).rejects.toThrow("is a folder, but the local path is a file");
    await expect(container.copyTo(folder, "C:\\site\\index.html")).rejects.toThrow("is not a folder in the container");
    expect(received).toEqual({});
  });

  test.skipIf(skipOnWindows("such names"))("refuses files whose names Windows does not allow", async () => {
    await writeFile(join(folder, "src/aux.log"), "");
    const failure = container.copyTo(join(folder, "src"), "C:\\site");
    await expect(failure).rejects.toThrow(/localPath: is the name of a device on Windows; rename it, got ".*aux\.log"/);
  });
});

describe("copyFrom", () => {
  test("copies a folder", async () => {
    const result = await container.copyFrom("C:\\site", join(folder, "copy"));
    expect(commands.at(-1)).toEqual(["tar.exe", "-cf", "-", "--format=pax", "-C", "C:\\site", "."]);
    expect(result).toMatchObject({ entries: 1, contentBytes: 8 });
    expect(await readFile(join(folder, "copy/index.html"), "utf8")).toBe("<p>hello");
  });

  test("copies a file", async () => {
    await container.copyFrom("C:/site/index.html", join(folder, "page.html"));
    expect(commands.at(-1)).toEqual(["tar.exe", "-cHf", "-", "--format=pax", "-C", "C:\\site", "./index.html"]);
    expect(await readdir(folder)).toEqual(["page.html"]);
  });

  test("fails with NOT_FOUND and the error message of tar.exe", async () => {
    await expect(container.copyFrom("C:\\nowhere", folder)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(
        "tar.exe in the container ended with exit code 1: tar.exe: ./nowhere: Cannot stat",
      ),
    });
  });
});

test("archives pass from getArchive to putArchive", async () => {
  await container.putArchive("C:\\", await container.getArchive("C:\\site"));
  expect(commands.at(-1)?.slice(0, 2)).toEqual(["tar.exe", "-xf"]);
  expect(received["./index.html"]).toBe("<p>hello");
});

test("single files need a POSIX shell, and are refused", async () => {
  await expect(container.readFile("C:\\a")).rejects.toBeInstanceOf(InvalidInputError);
  await expect(container.writeFile("C:\\a", "x")).rejects.toThrow("is a path of a Windows container; use copyTo");
  expect(commands).toEqual([]);
});
