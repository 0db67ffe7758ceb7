/** Files and folders into and out of a container. */
import { existsSync } from "node:fs";
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { expectCode, failureOf } from "./helpers/expecting.js";
import { folder } from "./helpers/folder.js";
import { journeys, sh } from "./helpers/journeys.js";

type HeaderArgument = Parameters<ReturnType<typeof pack>["entry"]>[0];

journeys("copy", (bench) => {
  test("a tree of a thousand files there and back, with modes, links and empty folders", async () => {
    await using container = await bench.container(await bench.sharedPod());
    await using made = await folder();
    const here = made.path;
    await mkdir(join(here, "tree/deep/empty"), { recursive: true });
    for (let index = 0; index < 1_000; index++) await writeFile(join(here, `tree/deep/${index}`), `file ${index}\n`);
    await writeFile(join(here, "tree/script"), "#!/bin/sh\necho ran\n");
    await chmod(join(here, "tree/script"), 0o751);
    await symlink("script", join(here, "tree/link"));

    await container.copyTo(join(here, "tree"), "/srv/some/where");
    const seen =
      "ls /srv/some/where/deep | wc -l; /srv/some/where/link; stat -c %a /srv/some/where/script; cat /srv/some/where/deep/999";
    expect((await container.execSync(sh(seen))).stdout).toBe("1001\nran\n751\nfile 999\n");

    await container.copyFrom("/srv/some/where", join(here, "back"));
    expect(await readdir(join(here, "back"))).toEqual(["deep", "link", "script"]);
    expect(await readdir(join(here, "back/deep"))).toHaveLength(1_001);
    expect(await readdir(join(here, "back/deep/empty"))).toEqual([]);
    expect(await readlink(join(here, "back/link"))).toBe("script");
    expect(((await lstat(join(here, "back/script"))).mode & 0o777).toString(8)).toBe("751");
    expect(await readFile(join(here, "back/deep/999"), "utf8")).toBe("file 999\n");
    expect((await readdir(here)).sort()).toEqual(["back", "tree"]);
  });

  test("names that look like options or archives, hard links, a new name", async () => {
    await using container = await bench.container(await bench.sharedPod());
    await using made = await folder();
    const here = made.path;
    await mkdir(join(here, "@odd"));
    await writeFile(join(here, "@odd/-rf"), "dash");
    await link(join(here, "@odd/-rf"), join(here, "@odd/second"));
    await container.copyTo(join(here, "@odd"), "/srv/-odd");
    const seen = "cd /srv/-odd && cat ./-rf ./second && stat -c %h ./second";
    expect((await container.execSync(sh(seen))).stdout).toBe("dashdash2\n");
    await container.copyFrom("/srv/-odd", join(here, "back"));
    expect(await readFile(join(here, "back/second"), "utf8")).toBe("dash");
    expect((await lstat(join(here, "back/-rf"))).nlink).toBe(2);
  });

  test("an archive that leads out of the target is refused, and nothing is written", async () => {
    await using container = await bench.container(await bench.sharedPod());
    await using made = await folder();
    const here = made.path;
    const entries: Record<string, HeaderArgument[]> = {
      parent: [{ name: "../escaped" }],
      absolute: [{ name: "/tmp/escaped" }],
      inside: [{ name: "data/../../escaped" }],
      throughLink: [{ name: "data/way", type: "symlink", linkname: here }, { name: "data/way/escaped" }],
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
      await container.copyTo(join(here, `${name}.tar`), "/srv/evil.tar");
      // The container is in charge of what its tar is.
      await container.execSync(
        sh(
          "mkdir -p /srv/data; cd /bin; test -e tar.real || mv tar tar.real; printf '#!/bin/sh\\nexec cat /srv/evil.tar\\n' > tar; chmod +x tar",
        ),
      );
      const failure = await failureOf(container.copyFrom("/srv/data", join(here, "out")));
      expect([name, failure]).toEqual([name, expect.objectContaining({ code: "INVALID_RESPONSE" })]);
      await container.execSync(sh("cd /bin; rm tar; mv tar.real tar"));
      expect((await readdir(here)).filter((file) => !file.endsWith(".tar"))).toEqual(["secret"]);
    }
    expect(existsSync("/tmp/escaped")).toBe(false);
  });

  test("one file, to a new name and over an old one", async () => {
    await using container = await bench.container(await bench.sharedPod());
    await using made = await folder();
    const here = made.path;
    for (const content of ["first", "second"]) {
      await writeFile(join(here, "a"), content);
      await container.copyTo(join(here, "a"), "/tmp/b");
      expect((await container.execSync(["cat", "/tmp/b"])).stdout).toBe(content);
      await container.copyFrom("/tmp/b", join(here, "c"));
      expect(await readFile(join(here, "c"), "utf8")).toBe(content);
    }
  });

  test("what is missing is told, and nothing is left", async () => {
    await using container = await bench.container(await bench.sharedPod());
    await using made = await folder();
    const here = made.path;
    await expectCode(container.copyFrom("/no/such/file", join(here, "x")), "NOT_FOUND");
    await expectCode(container.copyTo(join(here, "nothing"), "/tmp/x"), "INVALID_INPUT");
    await expectCode(container.copyTo(here, "relative"), "INVALID_INPUT");
    expect(await readdir(here)).toEqual([]);
  });
});
