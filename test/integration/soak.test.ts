/** Runs the soak for a few seconds. It ends on time or on Ctrl-C, and leaves nothing. */
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

/** Returns the output, and checks that the exit code agrees with it. */
async function endOf(child: ChildProcess): Promise<string> {
  const [[code], output] = await Promise.all([once(child, "exit"), text(child.stdout!)]);
  expect(code, output).toBe(/^FLAT after/m.test(output) ? 0 : 1);
  return output;
}

describe("npm run soak", () => {
  test("does all its work, and ends on time", { timeout: 120_000 }, async () => {
    const output = await endOf(soak("--fake", "--minutes", "0.07"));
    const passes = [...output.matchAll(/^\| ([a-zA-Z -]+?) +\| +(\d+) \|.*\| +(\d+) \|$/gm)];
    expect(passes.map(([, name]) => name)).toContain("port-forward");
    for (const [line, , count, failures] of passes) {
      expect(Number(count), line).toBeGreaterThan(0);
      expect(Number(failures), line).toBe(0);
    }
    // Only longer runs show whether the figures stay flat.
    for (const quantity of ["open files", "heap used, MiB"]) expect(output).toContain(`\n| ${quantity} `);
    expect(output).toContain("Left behind: nothing");
  });

  const noSignals = skipOnWindows("Ctrl-C for the soak: a signal ends a process at once");
  test.skipIf(noSignals)("Ctrl-C ends it with the table and leaves nothing", { timeout: 120_000 }, async () => {
    const child = soak("--fake", "--minutes", "60");
    const end = endOf(child);
    // The first line appears when the runtime has started.
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
  ])("rejects --%s %s", async (option, value) => {
    await expect(main([`--${option}`, value])).rejects.toThrow(option);
  });
});
