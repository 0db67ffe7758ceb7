/** Copying files and folders into and out of a container. */
import { execFileSync } from "node:child_process";
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { CopyFromOptions, CriErrorCode } from "k8s-cri-client";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import {
  end,
  file as fileEntry,
  folder as folderEntry,
  gnuLong,
  symlink as symlinkEntry,
} from "../support/tar-blocks.js";
import { thorough } from "../support/thorough.js";
import { containerWithFolder, replaceableTar } from "./helpers/container-with-folder.js";
import { eventually, expectCode, failureOf } from "./helpers/expectations.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

type HeaderArgument = Parameters<ReturnType<typeof pack>["entry"]>[0];

journeys("copy", (fixture) => {
  const fileCount = thorough ? 1_000 : 200;

  test(`copies a tree of ${fileCount} files in both directions, with modes, links and empty folders`, async () => {
    const last = fileCount - 1;
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await mkdir(join(local, "tree/deep/empty"), { recursive: true });
    for (let index = 0; index < fileCount; index++)
      await writeFile(join(local, `tree/deep/${index}`), `file ${index}\n`);
    await writeFile(join(local, "tree/script"), "#!/bin/sh\necho ran\n");
    await chmod(join(local, "tree/script"), 0o751);
    await symlink("script", join(local, "tree/link"));

    await container.copyTo(join(local, "tree"), `${shared}/some/where`);
    const script = `cd ${shared}/some/where; ls deep | wc -l; ./link; stat -c %a script; cat deep/${last}`;
    expect((await container.execSync(sh(script))).stdout).toBe(`${fileCount + 1}\nran\n751\nfile ${last}\n`);

    await container.copyFrom(`${shared}/some/where`, join(local, "back"));
    expect(await readdir(join(local, "back"))).toEqual(["deep", "link", "script"]);
    expect(await readdir(join(local, "back/deep"))).toHaveLength(fileCount + 1);
    expect(await readdir(join(local, "back/deep/empty"))).toEqual([]);
    expect(await readlink(join(local, "back/link"))).toBe("script");
    expect(((await lstat(join(local, "back/script"))).mode & 0o777).toString(8)).toBe("751");
    expect(await readFile(join(local, `back/deep/${last}`), "utf8")).toBe(`file ${last}\n`);
    expect((await readdir(local)).sort()).toEqual(["back", "tree"]);
  });

  test("copies hard links, and names that look like options or archives, to a new name", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await mkdir(join(local, "@odd"));
    await writeFile(join(local, "@odd/-rf"), "dash");
    await link(join(local, "@odd/-rf"), join(local, "@odd/second"));
    await container.copyTo(join(local, "@odd"), `${shared}/-odd`);
    const script = `cd ${shared}/-odd && cat ./-rf ./second && stat -c %h ./second`;
    expect((await container.execSync(sh(script))).stdout).toBe("dashdash2\n");
    await container.copyFrom(`${shared}/-odd`, join(local, "back"));
    expect(await readFile(join(local, "back/second"), "utf8")).toBe("dash");
    expect((await lstat(join(local, "back/-rf"))).nlink).toBe(2);
  });

  test("refuses an archive with paths outside the target, and writes nothing", async () => {
    // A malicious container can replace its tar program.
    await using setUp = await containerWithFolder(fixture, replaceableTar);
    const { container, local, shared } = setUp;
    await container.execSync(sh(`mkdir ${shared}/bin ${shared}/data`));
    const entries: Record<string, HeaderArgument[]> = {
      parent: [{ name: "../escaped" }],
      absolute: [{ name: join(local, "escaped") }],
      inside: [{ name: "data/../../escaped" }],
      throughLink: [{ name: "data/way", type: "symlink", linkname: local }, { name: "data/way/escaped" }],
      throughLinks: [
        { name: "data/way", type: "symlink", linkname: local },
        { name: "data/way/escaped", type: "symlink", linkname: local },
      ],
      hardLink: [{ name: "data/taken", type: "link", linkname: "../../secret" }],
    };
    await writeFile(join(local, "secret"), "secret");
    for (const [name, headers] of Object.entries(entries)) {
      const archive = pack();
      for (const header of [{ name: "data/", type: "directory" } as HeaderArgument, ...headers]) {
        if (header.type) archive.entry(header);
        else archive.entry(header, "escaped");
      }
      archive.finalize();
      await writeFile(join(local, `${name}.tar`), archive as unknown as Readable);
      await container.copyTo(join(local, `${name}.tar`), `${shared}/malicious.tar`);
      const fakeTar = `#!/bin/sh\\nexec cat ${shared}/malicious.tar\\n`;
      await container.execSync(sh(`printf '${fakeTar}' > ${shared}/bin/tar; chmod +x ${shared}/bin/tar`));
      const failure = await failureOf(container.copyFrom(`${shared}/data`, join(local, "out")));
      expect([name, failure]).toEqual([name, expect.objectContaining({ code: "INVALID_RESPONSE" })]);
      await container.execSync(sh(`rm ${shared}/bin/tar`));
      expect((await readdir(local)).filter((file) => !file.endsWith(".tar"))).toEqual(["secret"]);
    }
  });

  test("refuses the output of a malicious tar at once, and leaves nothing on the local disk", async () => {
    await using setUp = await containerWithFolder(fixture, replaceableTar);
    const { container, local, shared } = setUp;
    await container.execSync(sh(`mkdir ${shared}/bin ${shared}/data`));
    const links = [gnuLong("K", "a".repeat(1_000_000)), symlinkEntry("./link", "x")];
    await writeFile(
      join(local, "bomb"),
      gzipSync(Buffer.concat([folderEntry("./"), ...links, ...links, ...links, end])),
    );
    await writeFile(join(local, "links"), Buffer.concat([folderEntry("./"), ...links]));
    await writeFile(join(local, "files"), Buffer.concat([folderEntry("./"), fileEntry("./a"), fileEntry("./b"), end]));
    for (const name of ["bomb", "links", "files"]) await container.copyTo(join(local, name), `${shared}/${name}`);
    const malicious: [script: string, code: CriErrorCode, details: RegExp, options?: CopyFromOptions][] = [
      ["cat bomb", "INVALID_RESPONSE", /compressed with gzip/],
      ["cat links; while cat links; do :; done", "INVALID_RESPONSE", /name of 1000001 bytes/],
      ["cat files /dev/zero", "RESOURCE_EXHAUSTED", /limit of maxBytes/, { maxBytes: 1_000_000 }],
      ["cat files", "RESOURCE_EXHAUSTED", /limit of maxEntries/, { maxEntries: 2 }],
      // The client does not wait for the exit code of a command that keeps running.
      [`cat bomb links | tail -c 2000; sleep ${uniqueSeconds()}`, "INVALID_RESPONSE", /checksum/],
    ];
    for (const [script, code, details, options] of malicious) {
      await writeFile(join(local, "tar"), `#!/bin/sh\ncd ${shared}; ${script}\n`, { mode: 0o755 });
      await container.copyTo(join(local, "tar"), `${shared}/bin/fake`);
      await container.execSync(sh(`mv ${shared}/bin/fake ${shared}/bin/tar`));
      for (const out of ["out", "."]) {
        const failure = await failureOf(container.copyFrom(`${shared}/data`, join(local, out), options));
        expect([script, failure]).toEqual([
          script,
          expect.objectContaining({ code, details: expect.stringMatching(details) }),
        ]);
      }
      await container.execSync(sh(`rm ${shared}/bin/tar`));
      expect((await readdir(local)).sort()).toEqual(["bomb", "files", "links", "tar"]);
    }
    expect((await container.execSync(["echo", "works"])).stdout).toBe("works\n");
  });

  test("copies links with their targets unchanged, and follows a link at the source path", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await container.execSync(
      sh(
        `mkdir -p ${shared}/links/lib; cd ${shared}/links; echo here > file; ln -s /etc/hosts absolute; ` +
          "ln -s ../../outside leading-out; ln -s gone dangling; ln -s file near; ln -s lib lib64; ln -s links ../way; " +
          "ln -s links/file ../one; mkfifo pipe",
      ),
    );
    // The second copy must replace the first one, and must not write through its links.
    for (const _ of [1, 2]) {
      const copied = await container.copyFrom(`${shared}/way`, join(local, "links"));
      expect(copied).toEqual({ entries: 7, contentBytes: 5, leftOutCount: 1, leftOut: ["pipe"] });
      const links = ["absolute", "leading-out", "dangling", "near", "lib64"].map((name) =>
        readlink(join(local, "links", name)),
      );
      expect(await Promise.all(links)).toEqual(["/etc/hosts", "../../outside", "gone", "file", "lib"]);
      expect(await readdir(join(local, "links"))).not.toContain("pipe");
    }
    await container.copyFrom(`${shared}/one`, join(local, "one"));
    expect(await readFile(join(local, "one"), "utf8")).toBe("here\n");

    await symlink("links", join(local, "current"));
    await container.copyTo(join(local, "current"), `${shared}/current`);
    const script =
      `cd ${shared}/current; ` +
      "for l in absolute leading-out dangling near lib64; do readlink $l; done; test -L . || cat file";
    expect((await container.execSync(sh(script))).stdout).toBe("/etc/hosts\n../../outside\ngone\nfile\nlib\nhere\n");
    await expectCode(container.copyFrom(`${shared}/links`, join(local, "current")), "INVALID_INPUT");
    await expectCode(container.copyFrom("/dev/null", join(local, "null")), "INVALID_INPUT");
    expect((await readdir(local)).sort()).toEqual(["current", "links", "one"]);
  });

  test("keeps modes except setuid and setgid", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    const modes = { open: 0o777, closed: 0o400, sticky: 0o1777, setuid: 0o4755, setgid: 0o2755 };
    const lines = Object.entries(modes).map(([name, mode]) => `echo > ${name}; chmod ${mode.toString(8)} ${name}`);
    const old = "touch -d '2001-02-03 04:05:06'";
    lines.push("touch read-only/file; chmod 555 read-only", `${old} read-only`);
    await container.execSync(sh(`mkdir -p ${shared}/modes/read-only; cd ${shared}/modes; ${lines.join("; ")}`));
    for (const _ of [1, 2]) {
      await container.copyFrom(`${shared}/modes`, join(local, "modes"));
      for (const [name, mode] of Object.entries(modes)) {
        const copied = (await lstat(join(local, "modes", name))).mode & 0o7777;
        expect([name, copied.toString(8)]).toEqual([name, (mode & 0o1777).toString(8)]);
      }
      const readOnly = await lstat(join(local, "modes/read-only"));
      expect([(readOnly.mode & 0o7777).toString(8), readOnly.mtime.getFullYear()]).toEqual(["555", 2001]);
    }
    // Only root can remove files from a read-only folder.
    await chmod(join(local, "modes/read-only"), 0o755);
    await container.execSync(sh(`chmod 755 ${shared}/modes/read-only`));
  });

  test("adds to existing folders and replaces existing files, but never a folder by a file or a file by a folder", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await mkdir(join(local, "conf/sub"), { recursive: true });
    await chmod(join(local, "conf"), 0o750);
    await writeFile(join(local, "conf/new"), "new");
    await container.execSync(
      sh(`cd ${shared}; mkdir real empty; echo old > real/old; ln -s real link; chmod 1777 real; echo > file`),
    );
    await container.copyTo(join(local, "conf"), `${shared}/link`);
    await container.copyTo(join(local, "conf/"), `${shared}/fresh/`);
    const script = `cd ${shared}; readlink link; ls real; stat -c %a real fresh`;
    expect((await container.execSync(sh(script))).stdout).toBe("real\nnew\nold\nsub\n1777\n750\n");

    for (const path of ["empty", "empty/", "link", "nothing/"].map((name) => `${shared}/${name}`)) {
      const failure = await failureOf(container.copyTo(join(local, "conf/new"), path));
      expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "containerPath" });
      expect(String(failure)).toContain(join(path, "new"));
    }
    await expectCode(container.copyTo(join(local, "conf"), `${shared}/file`), "INVALID_INPUT");
    expect((await container.execSync(sh(`cd ${shared}; ls empty; test -f file; ls`))).stdout).toBe(
      "empty\nfile\nfresh\nlink\nreal\n",
    );
  });

  test("copies names and links that are too long for a tar header, and leaves out named pipes", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    const long = `${"ä".repeat(60)}-${"b".repeat(100)}`;
    await mkdir(join(local, "tree", long, long), { recursive: true });
    await writeFile(join(local, "tree", long, long, "file\n?"), "deep");
    await symlink(`${long}/${long}`, join(local, "tree/link"));
    await link(join(local, "tree", long, long, "file\n?"), join(local, "tree/zwei"));
    execFileSync("mkfifo", [join(local, "tree/pipe"), join(local, "pipe")]);
    await container.copyTo(join(local, "tree"), `${shared}/tree`);
    const script = `cd ${shared}/tree; cat link/file*; stat -c %h zwei; test -e pipe || echo no pipe`;
    expect((await container.execSync(sh(script))).stdout).toBe("deep2\nno pipe\n");
    await expectCode(container.copyTo(join(local, "pipe"), `${shared}/pipe`), "INVALID_INPUT");
    await container.copyFrom(`${shared}/tree`, join(local, "back"));
    expect(await readFile(join(local, "back", long, long, "file\n?"), "utf8")).toBe("deep");
    expect(await readlink(join(local, "back/link"))).toBe(`${long}/${long}`);
  });

  test("an aborted copy rejects with the signal's reason, closes its files and leaves no partial copy", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await writeFile(join(local, "big"), Buffer.alloc(fixture.scaledMebibytes(200) * 1_000_000));
    await container.execSync(sh(`dd if=/dev/zero of=${shared}/big bs=1M count=${fixture.scaledMebibytes(200)}`));
    const open = async () => {
      const files = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(files)).filter((file) => file.startsWith(local));
    };
    for (const copy of [
      (signal: AbortSignal) => container.copyTo(join(local, "big"), `${shared}/copied`, { signal }),
      (signal: AbortSignal) => container.copyFrom(`${shared}/big`, join(local, "new/copied"), { signal }),
    ]) {
      const stop = new AbortController();
      const reason = new Error("enough");
      const copying = failureOf(copy(stop.signal));
      while ((await open()).length === 0) {
        const ended = await Promise.race([copying, setTimeout(1, "pending")]);
        if (ended !== "pending") throw ended;
      }
      stop.abort(reason);
      expect(await copying).toBe(reason);
      await eventually(open, ({ length }) => length === 0);
      expect(await readdir(local)).toEqual(["big"]);
      await eventually(
        async () => (await container.execSync(["ls", shared])).stdout.split("\n"),
        (names) => !names.includes("copied"),
      );
    }
  });

  test("copies one file to a new name and over an existing file", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    for (const content of ["first", "second"]) {
      await writeFile(join(local, "a"), content);
      await container.copyTo(join(local, "a"), `${shared}/b`);
      expect((await container.execSync(["cat", `${shared}/b`])).stdout).toBe(content);
      await container.copyFrom(`${shared}/b`, join(local, "c"));
      expect(await readFile(join(local, "c"), "utf8")).toBe(content);
    }
  });

  test("a copy rejects a missing source and a relative target, and leaves nothing", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, local, shared } = setUp;
    await expectCode(container.copyFrom("/no/such/file", join(local, "x")), "NOT_FOUND");
    await expectCode(container.copyTo(join(local, "nothing"), `${shared}/x`), "INVALID_INPUT");
    await expectCode(container.copyTo(local, "relative"), "INVALID_INPUT");
    expect(await readdir(local)).toEqual([]);
  });
});
