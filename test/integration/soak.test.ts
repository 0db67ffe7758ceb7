/** The soak itself, for some seconds: it runs, it ends when it is told to, and it leaves nothing. `npm run soak` is the real thing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { main } from "../../bench/soak/main.js";
import { skipOnWindows } from "../support/platform.js";

const bench = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

function soak(...options: string[]): ChildProcess {
  const args = ["--import", "tsx", bench, "soak", ...options];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** What it says in the end, and that this is what its exit code says. */
async function endOf(child: ChildProcess): Promise<string> {
  const [[code], output] = await Promise.all([once(child, "exit"), text(child.stdout!)]);
  expect(code, output).toBe(/^FLAT after/m.test(output) ? 0 : 1);
  return output;
}

describe("npm run soak", () => {
  test("does everything it has to do, and ends in time", { timeout: 120_000 }, async () => {
    const output = await endOf(soak("--fake", "--minutes", "0.07"));
    const passes = [...output.matchAll(/^\| ([a-zA-Z -]+?) +\| +(\d+) \|.*\| +(\d+) \|$/gm)];
    expect(passes.map(([, name]) => name)).toContain("port-forward");
    for (const [line, , count, failures] of passes) {
      expect(Number(count), line).toBeGreaterThan(0);
      expect(Number(failures), line).toBe(0);
    }
    // Whether they are flat shows only in more time than there is here.
    for (const quantity of ["open files", "heap used, MiB"]) expect(output).toContain(`\n| ${quantity} `);
    expect(output).toContain("Left behind: nothing");
  });

  const noSignals = skipOnWindows("Ctrl-C for the soak: a signal ends a process at once");
  test.skipIf(noSignals)("Ctrl-C ends it, with the table, and with nothing left", { timeout: 120_000 }, async () => {
    const child = soak("--fake", "--minutes", "60");
    const end = endOf(child);
    // The first line comes when the runtime is there.
    await once(child.stdout!, "data");
    await sleep(1_500);
    child.kill("SIGINT");
    const output = await end;
    expect(output).toMatch(/^\| activity /m);
    expect(output).toContain("Left behind: nothing");
  });

  test.each([
    ["minutes", "soon"],
    ["minutes", "0"],
    ["concurrency", "0.5"],
    ["version", "0.9"],
  ])("refuses --%s %s", async (option, value) => {
    await expect(main([`--${option}`, value])).rejects.toThrow(option);
  });
});
