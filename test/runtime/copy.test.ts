/** Copies of files and folders into and out of a container. */
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
    const { container, here, there } = setUp;
    await mkdir(join(here, "tree/deep/empty"), { recursive: true });
    for (let index = 0; index < fileCount; index++)
      await writeFile(join(here, `tree/deep/${index}`), `file ${index}\n`);
    await writeFile(join(here, "tree/script"), "#!/bin/sh\necho ran\n");
    await chmod(join(here, "tree/script"), 0o751);
    await symlink("script", join(here, "tree/link"));

    await container.copyTo(join(here, "tree"), `${there}/some/where`);
    const seen = `cd ${there}/some/where; ls deep | wc -l; ./link; stat -c %a script; cat deep/${last}`;
    expect((await container.execSync(sh(seen))).stdout).toBe(`${fileCount + 1}\nran\n751\nfile ${last}\n`);

    await container.copyFrom(`${there}/some/where`, join(here, "back"));
    expect(await readdir(join(here, "back"))).toEqual(["deep", "link", "script"]);
    expect(await readdir(join(here, "back/deep"))).toHaveLength(fileCount + 1);
    expect(await readdir(join(here, "back/deep/empty"))).toEqual([]);
    expect(await readlink(join(here, "back/link"))).toBe("script");
    expect(((await lstat(join(here, "back/script"))).mode & 0o777).toString(8)).toBe("751");
    expect(await readFile(join(here, `back/deep/${last}`), "utf8")).toBe(`file ${last}\n`);
    expect((await readdir(here)).sort()).toEqual(["back", "tree"]);
  });

  test("copies names that look like options or archives, and hard links, to a new name", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    await mkdir(join(here, "@odd"));
    await writeFile(join(here, "@odd/-rf"), "dash");
    await link(join(here, "@odd/-rf"), join(here, "@odd/second"));
    await container.copyTo(join(here, "@odd"), `${there}/-odd`);
    const seen = `cd ${there}/-odd && cat ./-rf ./second && stat -c %h ./second`;
    expect((await container.execSync(sh(seen))).stdout).toBe("dashdash2\n");
    await container.copyFrom(`${there}/-odd`, join(here, "back"));
    expect(await readFile(join(here, "back/second"), "utf8")).toBe("dash");
    expect((await lstat(join(here, "back/-rf"))).nlink).toBe(2);
  });

  test("refuses an archive with paths outside the target, and writes nothing", async () => {
    // A malicious container can replace its tar program.
    await using setUp = await containerWithFolder(fixture, replaceableTar);
    const { container, here, there } = setUp;
    await container.execSync(sh(`mkdir ${there}/bin ${there}/data`));
    const entries: Record<string, HeaderArgument[]> = {
      parent: [{ name: "../escaped" }],
      absolute: [{ name: join(here, "escaped") }],
      inside: [{ name: "data/../../escaped" }],
      throughLink: [{ name: "data/way", type: "symlink", linkname: here }, { name: "data/way/escaped" }],
      throughLinks: [
        { name: "data/way", type: "symlink", linkname: here },
        { name: "data/way/escaped", type: "symlink", linkname: here },
      ],
      hardLink: [{ name: "data/taken", type: "link", linkname: "../../secret" }],
    };
    await writeFile(join(here, "secret"), "secret");
    for (const [name, headers] of Object.entries(entries)) {
      const archive = pack();
      for (const header of [{ name: "data/", type: "directory" } as HeaderArgument, ...headers]) {
        if (header.type) archive.entry(header);
        else archive.entry(header, "escaped");
      }
      archive.finalize();
      await writeFile(join(here, `${name}.tar`), archive as unknown as Readable);
      await container.copyTo(join(here, `${name}.tar`), `${there}/malicious.tar`);
      const fakeTar = `#!/bin/sh\\nexec cat ${there}/malicious.tar\\n`;
      await container.execSync(sh(`printf '${fakeTar}' > ${there}/bin/tar; chmod +x ${there}/bin/tar`));
      const failure = await failureOf(container.copyFrom(`${there}/data`, join(here, "out")));
      expect([name, failure]).toEqual([name, expect.objectContaining({ code: "INVALID_RESPONSE" })]);
      await container.execSync(sh(`rm ${there}/bin/tar`));
      expect((await readdir(here)).filter((file) => !file.endsWith(".tar"))).toEqual(["secret"]);
    }
  });

  test("refuses the output of a malicious tar at once, and leaves nothing on the local disk", async () => {
    await using setUp = await containerWithFolder(fixture, replaceableTar);
    const { container, here, there } = setUp;
    await container.execSync(sh(`mkdir ${there}/bin ${there}/data`));
    const links = [gnuLong("K", "a".repeat(1_000_000)), symlinkEntry("./link", "x")];
    await writeFile(
      join(here, "bomb"),
      gzipSync(Buffer.concat([folderEntry("./"), ...links, ...links, ...links, end])),
    );
    await writeFile(join(here, "links"), Buffer.concat([folderEntry("./"), ...links]));
    await writeFile(join(here, "files"), Buffer.concat([folderEntry("./"), fileEntry("./a"), fileEntry("./b"), end]));
    for (const name of ["bomb", "links", "files"]) await container.copyTo(join(here, name), `${there}/${name}`);
    const malicious: [script: string, code: CriErrorCode, details: RegExp, options?: CopyFromOptions][] = [
      ["cat bomb", "INVALID_RESPONSE", /compressed with gzip/],
      ["cat links; while cat links; do :; done", "INVALID_RESPONSE", /name of 1000001 bytes/],
      ["cat files /dev/zero", "RESOURCE_EXHAUSTED", /limit of maxBytes/, { maxBytes: 1_000_000 }],
      ["cat files", "RESOURCE_EXHAUSTED", /limit of maxEntries/, { maxEntries: 2 }],
      // The client does not wait for the exit code of a command that keeps running.
      [`cat bomb links | tail -c 2000; sleep ${uniqueSeconds()}`, "INVALID_RESPONSE", /checksum/],
    ];
    for (const [script, code, details, options] of malicious) {
      await writeFile(join(here, "tar"), `#!/bin/sh\ncd ${there}; ${script}\n`, { mode: 0o755 });
      await container.copyTo(join(here, "tar"), `${there}/bin/fake`);
      await container.execSync(sh(`mv ${there}/bin/fake ${there}/bin/tar`));
      for (const out of ["out", "."]) {
        const failure = await failureOf(container.copyFrom(`${there}/data`, join(here, out), options));
        expect([script, failure]).toEqual([
          script,
          expect.objectContaining({ code, details: expect.stringMatching(details) }),
        ]);
      }
      await container.execSync(sh(`rm ${there}/bin/tar`));
      expect((await readdir(here)).sort()).toEqual(["bomb", "files", "links", "tar"]);
    }
    expect((await container.execSync(["echo", "works"])).stdout).toBe("works\n");
  });

  test("copies links with their targets unchanged, and follows a link at the source path", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    await container.execSync(
      sh(
        `mkdir -p ${there}/links/lib; cd ${there}/links; echo here > file; ln -s /etc/hosts absolute; ln -s ../../outside leading-out; ` +
          "ln -s gone dangling; ln -s file near; ln -s lib lib64; ln -s links ../way; ln -s links/file ../one; mkfifo pipe",
      ),
    );
    // The second copy must replace the first one, and must not write through its links.
    for (const _ of [1, 2]) {
      const copied = await container.copyFrom(`${there}/way`, join(here, "links"));
      expect(copied).toEqual({ entries: 7, contentBytes: 5, leftOutCount: 1, leftOut: ["pipe"] });
      const links = ["absolute", "leading-out", "dangling", "near", "lib64"].map((name) =>
        readlink(join(here, "links", name)),
      );
      expect(await Promise.all(links)).toEqual(["/etc/hosts", "../../outside", "gone", "file", "lib"]);
      expect(await readdir(join(here, "links"))).not.toContain("pipe");
    }
    await container.copyFrom(`${there}/one`, join(here, "one"));
    expect(await readFile(join(here, "one"), "utf8")).toBe("here\n");

    await symlink("links", join(here, "current"));
    await container.copyTo(join(here, "current"), `${there}/current`);
    const seen =
      `cd ${there}/current; ` +
      "for l in absolute leading-out dangling near lib64; do readlink $l; done; test -L . || cat file";
    expect((await container.execSync(sh(seen))).stdout).toBe("/etc/hosts\n../../outside\ngone\nfile\nlib\nhere\n");
    await expectCode(container.copyFrom(`${there}/links`, join(here, "current")), "INVALID_INPUT");
    await expectCode(container.copyFrom("/dev/null", join(here, "null")), "INVALID_INPUT");
    expect((await readdir(here)).sort()).toEqual(["current", "links", "one"]);
  });

  test("keeps modes except setuid and setgid", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    const modes = { open: 0o777, closed: 0o400, sticky: 0o1777, setuid: 0o4755, setgid: 0o2755 };
    const lines = Object.entries(modes).map(([name, mode]) => `echo > ${name}; chmod ${mode.toString(8)} ${name}`);
    const old = "touch -d '2001-02-03 04:05:06'";
    lines.push("touch read-only/file; chmod 555 read-only", `${old} read-only`);
    await container.execSync(sh(`mkdir -p ${there}/modes/read-only; cd ${there}/modes; ${lines.join("; ")}`));
    for (const _ of [1, 2]) {
      await container.copyFrom(`${there}/modes`, join(here, "modes"));
      for (const [name, mode] of Object.entries(modes)) {
        const copied = (await lstat(join(here, "modes", name))).mode & 0o7777;
        expect([name, copied.toString(8)]).toEqual([name, (mode & 0o1777).toString(8)]);
      }
      const readOnly = await lstat(join(here, "modes/read-only"));
      expect([(readOnly.mode & 0o7777).toString(8), readOnly.mtime.getFullYear()]).toEqual(["555", 2001]);
    }
    // Otherwise only root could remove the files in it.
    await chmod(join(here, "modes/read-only"), 0o755);
    await container.execSync(sh(`chmod 755 ${there}/modes/read-only`));
  });

  test("adds to existing folders and replaces existing files, and never replaces one kind with the other", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    await mkdir(join(here, "conf/sub"), { recursive: true });
    await chmod(join(here, "conf"), 0o750);
    await writeFile(join(here, "conf/new"), "new");
    await container.execSync(
      sh(`cd ${there}; mkdir real empty; echo old > real/old; ln -s real link; chmod 1777 real; echo > file`),
    );
    await container.copyTo(join(here, "conf"), `${there}/link`);
    await container.copyTo(join(here, "conf/"), `${there}/fresh/`);
    const seen = `cd ${there}; readlink link; ls real; stat -c %a real fresh`;
    expect((await container.execSync(sh(seen))).stdout).toBe("real\nnew\nold\nsub\n1777\n750\n");

    for (const path of ["empty", "empty/", "link", "nothing/"].map((name) => `${there}/${name}`)) {
      const failure = await failureOf(container.copyTo(join(here, "conf/new"), path));
      expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "containerPath" });
      expect(String(failure)).toContain(join(path, "new"));
    }
    await expectCode(container.copyTo(join(here, "conf"), `${there}/file`), "INVALID_INPUT");
    expect((await container.execSync(sh(`cd ${there}; ls empty; test -f file; ls`))).stdout).toBe(
      "empty\nfile\nfresh\nlink\nreal\n",
    );
  });

  test("copies names and links that are too long for a tar header, and leaves out named pipes", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    const long = `${"ä".repeat(60)}-${"b".repeat(100)}`;
    await mkdir(join(here, "tree", long, long), { recursive: true });
    await writeFile(join(here, "tree", long, long, "file\n?"), "deep");
    await symlink(`${long}/${long}`, join(here, "tree/link"));
    await link(join(here, "tree", long, long, "file\n?"), join(here, "tree/zwei"));
    execFileSync("mkfifo", [join(here, "tree/pipe"), join(here, "pipe")]);
    await container.copyTo(join(here, "tree"), `${there}/tree`);
    const seen = `cd ${there}/tree; cat link/file*; stat -c %h zwei; test -e pipe || echo no pipe`;
    expect((await container.execSync(sh(seen))).stdout).toBe("deep2\nno pipe\n");
    await expectCode(container.copyTo(join(here, "pipe"), `${there}/pipe`), "INVALID_INPUT");
    await container.copyFrom(`${there}/tree`, join(here, "back"));
    expect(await readFile(join(here, "back", long, long, "file\n?"), "utf8")).toBe("deep");
    expect(await readlink(join(here, "back/link"))).toBe(`${long}/${long}`);
  });

  test("an aborted copy rejects with the signal's reason, closes its files and leaves no partial copy", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    await writeFile(join(here, "big"), Buffer.alloc(fixture.scaledMebibytes(200) * 1_000_000));
    await container.execSync(sh(`dd if=/dev/zero of=${there}/big bs=1M count=${fixture.scaledMebibytes(200)}`));
    const open = async () => {
      const files = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(files)).filter((file) => file.startsWith(here));
    };
    for (const copy of [
      (signal: AbortSignal) => container.copyTo(join(here, "big"), `${there}/copied`, { signal }),
      (signal: AbortSignal) => container.copyFrom(`${there}/big`, join(here, "new/copied"), { signal }),
    ]) {
      const stop = new AbortController();
      const reason = new Error("enough");
      const copying = failureOf(copy(stop.signal));
      while ((await open()).length === 0) {
        const ended = await Promise.race([copying, setTimeout(1, "no")]);
        if (ended !== "no") throw ended;
      }
      stop.abort(reason);
      expect(await copying).toBe(reason);
      await eventually(open, ({ length }) => length === 0);
      expect(await readdir(here)).toEqual(["big"]);
    }
  });

  test("copies one file to a new name and over an existing file", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    for (const content of ["first", "second"]) {
      await writeFile(join(here, "a"), content);
      await container.copyTo(join(here, "a"), `${there}/b`);
      expect((await container.execSync(["cat", `${there}/b`])).stdout).toBe(content);
      await container.copyFrom(`${there}/b`, join(here, "c"));
      expect(await readFile(join(here, "c"), "utf8")).toBe(content);
    }
  });

  test("a missing source rejects and leaves nothing", async () => {
    await using setUp = await containerWithFolder(fixture);
    const { container, here, there } = setUp;
    await expectCode(container.copyFrom("/no/such/file", join(here, "x")), "NOT_FOUND");
    await expectCode(container.copyTo(join(here, "nothing"), `${there}/x`), "INVALID_INPUT");
    await expectCode(container.copyTo(here, "relative"), "INVALID_INPUT");
    expect(await readdir(here)).toEqual([]);
  });
});
