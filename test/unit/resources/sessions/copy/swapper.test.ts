/** Checks that a copy into a folder of another user writes nothing through links that this user creates during the copy. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { stageCopy } from "../../../../../src/resources/sessions/copy/destination.js";
import { unpack } from "../../../../../src/resources/sessions/copy/unpack.js";
import { treeOf } from "../../../../support/file-tree.js";
import { openBelow } from "../../../../support/open-files.js";
import { skipWhere } from "../../../../support/platform.js";
import { removeTree } from "../../../../support/remove-tree.js";
import { end, file, folder } from "../../../../support/tar-blocks.js";
import { thorough } from "../../../../support/thorough.js";

const skipped = skipWhere(
  process.platform !== "linux",
  "links that appear during a copy: only Linux holds folders by descriptor",
);

const rounds = thorough ? 20_000 : 1_000;
/** Ends the rounds early on a slow or busy machine. */
const limitMs = thorough ? 300_000 : 10_000;

/** A file system in memory allows more rounds per second. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const archive = Buffer.concat([
  folder("./", { mode: 0o777 }),
  folder("./sub", { mode: 0o777 }),
  file("./sub/secret", "overwritten"),
  folder("./sub/deeper", { mode: 0o555 }),
  file("./sub/deeper/secret", "overwritten"),
  folder("./new", { mode: 0o500 }),
  file("./new/secret", "overwritten"),
  end,
]);

/** Returns everything that changes if a process writes to a folder or changes it. */
async function stateOf(path: string) {
  const lines = await treeOf(path);
  const { mode, mtimeMs, ctimeMs, uid } = await lstat(path);
  return { lines, mode, mtimeMs, ctimeMs, uid };
}

function copyOnce(target: string) {
  const stream = Readable.from([archive], { objectMode: false });
  return stageCopy(target, { folder: "source" }, (staging, name) =>
    unpack(stream, staging, name, { maxBytes: 1e6, maxEntries: 100 }),
  );
}

/** Starts the swapper, as another user if this process is root and the other user can run this Node.js. */
function startSwapper(own: string, victim: string, script: string) {
  const nobody = { uid: 65_534, gid: 65_534 };
  const canBeNobody = process.getuid?.() === 0 && !spawnSync(process.execPath, ["--version"], nobody).error;
  const user = canBeNobody ? nobody : {};
  return spawn(process.execPath, ["--input-type=module", "--eval", script, victim], {
    ...user,
    cwd: own,
    stdio: ["pipe", "pipe", "inherit"],
  });
}

async function ended(swapper: ReturnType<typeof startSwapper>): Promise<void> {
  swapper.stdin.end();
  if (swapper.exitCode === null && swapper.signalCode === null) await once(swapper, "exit");
}

test.skipIf(skipped)(
  "writes nothing through links that appear below the target during the copy",
  { timeout: 3 * limitMs + 30_000 },
  async () => {
    const directory = await mkdtemp(join(memory, "swapper-"));
    let swapper: ReturnType<typeof startSwapper> | undefined;
    const [target, victim] = [join(directory, "target"), join(directory, "victim")];
    try {
      await chmod(directory, 0o711);
      for (const path of [target, join(target, "sub"), join(target, "sub/deeper"), victim]) await mkdir(path);
      await writeFile(join(victim, "secret"), "secret");
      await mkdir(join(victim, "deeper"));
      await chmod(victim, 0o700);
      if (process.getuid?.() === 0) {
        for (const path of [target, join(target, "sub"), join(target, "sub/deeper")]) await chown(path, 65_534, 65_534);
      }
      const before = await stateOf(victim);
      const script = await readFile(new URL("./swapper.mjs", import.meta.url), "utf8");
      swapper = startSwapper(target, victim, script);
      await Promise.race([once(swapper.stdout, "data"), once(swapper, "exit")]);
      const outcomes = { copied: 0, refused: 0 };
      const deadline = performance.now() + limitMs;
      let round = 0;
      // A busy machine gets as much time again to swap a folder during a copy.
      const isOver = () => performance.now() > (outcomes.refused > 0 ? deadline : deadline + limitMs);
      const copyAgain = async () => {
        while (round++ < rounds && !isOver()) {
          await copyOnce(target).then(
            () => outcomes.copied++,
            (error) => {
              expect(error).toMatchObject({ code: expect.stringMatching(/^(E[A-Z]+|INVALID_INPUT)$/) });
              outcomes.refused++;
            },
          );
        }
      };
      await Promise.all([copyAgain(), copyAgain(), copyAgain(), copyAgain()]);
      expect(swapper.exitCode).toBe(null);
      await ended(swapper);
      console.info(`${outcomes.copied} copies succeeded, ${outcomes.refused} met a link`);
      expect(await stateOf(victim)).toEqual(before);
      expect(openBelow(directory)).toEqual([]);
      // Proves that the swapper did swap folders during copies.
      expect(outcomes.refused).toBeGreaterThan(0);
    } finally {
      if (swapper) await ended(swapper);
      await removeTree(directory);
    }
  },
);
