/** Reads logs in a program that Node.js permits to read only the log directory. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { skipOnWindows } from "../../support/platform.js";
import { criLines, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const source = fileURLToPath(new URL("../../../src/logs/read-log-file.ts", import.meta.url));

const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";

test.skipIf(skipOnWindows("Node.js' permission model"))("reads a log if only its directory is permitted", async () => {
  const contents = `
    import { readLogFile } from ${JSON.stringify(source)};
    for await (const { text } of readLogFile(process.argv[2], { rotated: true })) console.log(text);`;
  const script = folder.file("program.mjs");
  await build({
    stdin: { contents, resolveDir: dirname(source) },
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  folder.file("0.log.20261128-100000", criLines(0, 1));
  const log = folder.file("0.log", criLines(1, 2));
  const paths = new Set([folder.path, realpathSync(folder.path)]);
  const allowed = [...paths].map((path) => `--allow-fs-read=${path}${sep}`);
  const { stdout } = await promisify(execFile)(process.execPath, [flag, ...allowed, script, log], { timeout: 25_000 });
  expect(stdout).toBe("line 0\nline 1\n");
});
