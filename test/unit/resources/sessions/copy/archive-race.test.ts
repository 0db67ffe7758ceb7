/** Checks that no file from outside a folder gets into the archive, even if another user changes the folder during the copy. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { skipOnWindows } from "../../../../support/platform.js";
import { thorough } from "../../../../support/thorough.js";

const rounds = thorough ? 20_000 : 1_000;
/** Ends the rounds early on a slow or busy machine. */
const limitMs = thorough ? 300_000 : 7_000;

/** Endlessly swaps a file with a link to a secret and with a named pipe, and a folder with a link to a folder of secrets. */
const swapper = `
  const { execFileSync } = require("node:child_process");
  const { linkSync, renameSync, symlinkSync, unlinkSync } = require("node:fs");
  const [tree, outside, secret] = process.argv.slice(1);
  process.chdir(tree);
  execFileSync("mkfifo", ["../pipe"]);
  const put = (make, name) => { make("../new"); renameSync("../new", name); };
  for (let swaps = 0; ; swaps++) {
    put((path) => symlinkSync(secret, path), "file");
    put((path) => linkSync("../good", path), "file");
    put((path) => linkSync("../pipe", path), "piped");
    put((path) => linkSync("../good", path), "piped");
    renameSync("folder", "../folder");
    symlinkSync(outside, "folder");
    unlinkSync("folder");
    renameSync("../folder", "folder");
    if (swaps === 0) console.log("swapping");
  }`;

const copier = fileURLToPath(new URL("archive-rounds.ts", import.meta.url));

const modes = process.platform === "linux" ? [true, false] : [false];

test.skipIf(skipOnWindows("links and named pipes that are swapped")).each(modes)(
  "a user who swaps files during the copy gets no outside file into it, and the process can exit (by descriptor: %s)",
  { timeout: limitMs + 60_000 },
  async (byDescriptor) => {
    const directory = await mkdtemp(join(tmpdir(), "archive-race-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const [tree, outside] = [join(directory, "tree"), join(directory, "outside")];
    await mkdir(join(tree, "folder"), { recursive: true });
    await mkdir(outside, { mode: 0o700 });
    const secret = join(outside, byDescriptor ? "inside" : "other");
    await writeFile(secret, "secret", { mode: 0o600 });
    for (const name of ["good", "tree/file", "tree/piped", "tree/folder/inside"])
      await writeFile(join(directory, name), "good");

    const swapping = ["--eval", swapper, tree, outside, secret];
    const child = spawn(process.execPath, swapping, { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => stop(child));
    await once(child.stdout, "data");
    const program = ["--import", "tsx", copier, tree, String(byDescriptor), String(rounds), String(limitMs)];
    const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: limitMs + 40_000 });
    expect(child.exitCode).toBeNull();

    const { round, ...seen } = JSON.parse(stdout) as Record<string, number>;
    expect(round).toBeGreaterThan(0);
    const harmless = [
      "file ./file good",
      "symlink ./file",
      "file ./piped good",
      "directory ./folder/",
      "file ./folder/inside good",
      "symlink ./folder",
      // Hard links to files that are in the archive under another name.
      "link ./file",
      "link ./piped",
      "localPath: cannot be read (ENOENT)",
      "localPath: was replaced while it was being opened",
      // With paths the race remains: a link that is swapped in and out three times at the right moments leads outside.
      ...(byDescriptor ? [] : ["file ./folder/other secret"]),
    ];
    expect(Object.keys(seen).filter((entry) => !harmless.includes(entry))).toEqual([]);
  },
);

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
