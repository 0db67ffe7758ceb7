/** Files and folders into and out of a container. */
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectCode } from "./helpers/expecting.js";
import { folder } from "./helpers/folder.js";
import { sh } from "./helpers/journeys.js";
import { streamingJourneys } from "./helpers/streaming-journeys.js";

streamingJourneys("copy", (bench) => {
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
