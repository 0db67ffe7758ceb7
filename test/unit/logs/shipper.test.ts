import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { criLines, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const source = fileURLToPath(new URL("../../../src/logs/read-log-file.ts", import.meta.url));

/** A program that ships the lines after the last one that it shipped. It writes each line together with its position. */
const program = `
  import { existsSync, openSync, readFileSync, writeSync } from "node:fs";
  import { readLogFile } from ${JSON.stringify(source)};
  async function ship([log, out]) {
    const shipped = existsSync(out) ? readFileSync(out, "utf8").trimEnd().split("\\n") : [];
    const after = shipped.at(-1)?.split(" ")[0] || undefined;
    const file = openSync(out, "a");
    console.log("started");
    for await (const entries of readLogFile(log, { follow: true, after, rotated: true, onGap: (gap) => console.error(gap) }).batches()) {
      // Writes one line at a time, because the test may kill the program after any of them.
      for (const { position, text } of entries) writeSync(file, position + " " + text + "\\n");
    }
  }
  void ship(process.argv.slice(2));
`;

const lines = 100_000;
const kills = 10;
const rotations = 10;

test("a shipper killed ten times, over ten rotations, ships every line once", { timeout: 240_000 }, async () => {
  const script = folder.file("shipper.cjs", "");
  const entry = { contents: program, resolveDir: dirname(source) };
  await build({
    stdin: entry,
    outfile: script,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logLevel: "error",
  });
  const log = folder.file("0.log", "");
  const out = folder.file("shipped");
  let errorOutput = "";
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [script, log, out], { stdio: ["ignore", "pipe", "pipe"] });
    child.stderr?.on("data", (chunk) => {
      errorOutput += chunk;
    });
    child.once("exit", (code) => {
      if (code !== null) errorOutput += `exit code ${code}`;
    });
    await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
    return child;
  };
  const shipped = () => {
    if (errorOutput) throw new Error(errorOutput);
    return readFileSync(out, "utf8").split("\n").length - 1;
  };

  const writing = (async () => {
    const chunk = lines / rotations / 20;
    for (let number = 0; number < lines; number += chunk) {
      const rotation = number / (lines / rotations);
      if (number > 0 && Number.isInteger(rotation)) {
        renameSync(log, `${log}.${rotation}`);
        // Every second file is compressed after the next rotation.
        const before = `${log}.${rotation - 1}`;
        if (rotation % 2 === 1 && rotation > 1) {
          writeFileSync(`${before}.gz`, gzipSync(readFileSync(before)));
          rmSync(before);
        }
      }
      await appendFile(log, criLines(number, number + chunk));
      await delay(10);
    }
  })();
  let child = await start();
  for (let kill = 1; kill <= kills; kill++) {
    // At this point the program may be reading a rotated file or the current one, or be about to open one.
    const goal = Math.min(lines - 1, (kill * lines) / (kills + 1));
    while (shipped() < goal) await delay(10);
    child.kill("SIGKILL");
    await once(child, "exit");
    child = await start();
  }
  await writing;
  while (shipped() < lines) await delay(20);
  await delay(300);
  child.kill("SIGKILL");
  await once(child, "exit");
  const found = readFileSync(out, "utf8").trimEnd().split("\n");
  const wrongIndex = found.findIndex((line, index) => line.slice(line.indexOf(" ") + 1) !== `line ${index}`);
  expect({ wrongIndex, line: found[wrongIndex], errorOutput }).toEqual({
    wrongIndex: -1,
    line: undefined,
    errorOutput: "",
  });
  expect(found).toHaveLength(lines);
});
