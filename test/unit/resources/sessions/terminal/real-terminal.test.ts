/** Checks the mode of a real terminal, which `script` of util-linux provides. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { ctrlP, ctrlQ } from "./support.js";

const script = spawnSync("script", ["--version"]).status === 0;
if (!script) console.warn("SKIPPED: runTerminal on a real terminal: util-linux's `script` is missing");

describe.skipIf(!script)("a real terminal", () => {
  const folder = mkdtempSync(join(tmpdir(), "terminal-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const source = new URL("../../../../../src/resources/sessions/terminal/terminal.ts", import.meta.url).href;
  const child = join(folder, "child.mts");
  writeFileSync(
    child,
    `import { execFileSync } from "node:child_process";
    import { PassThrough } from "node:stream";
    import { runTerminal } from ${JSON.stringify(source)};
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const stty = (...args) => execFileSync("stty", args, { stdio: ["inherit", "pipe", "inherit"], encoding: "utf8" });
    const flags = () => (stty("-a").match(/-?(icanon|echo)\\b/g) ?? []).sort().join(" ");
    let end, fail;
    const exit = new Promise((resolve, reject) => { end = resolve; fail = reject; });
    exit.catch(() => {});
    stdin.on("data", (bytes) => {
      for (const key of String(bytes)) {
        if (key === "e") { stdout.end("bye;"); end({ exitCode: 0 }); }
        else if (key === "s") stty("cols", "90");
        else if (key === "a") stdout.write("\\x1b[?1049h");
        else if (key === "t") throw new Error("uncaught");
        else if (key === "k") process.kill(process.pid, "SIGTERM");
        else stdout.write("key " + key.charCodeAt(0) + ";");
      }
    });
    const session = {
      stdin, stdout, stderr: null, canHalfCloseStdin: true, exit,
      resize: ({ columns, rows }) => stdout.write("size " + columns + "x" + rows + ";"),
      close: async () => { stdout.destroy(); fail(new Error("closed")); },
    };
    const result = runTerminal(session, {});
    stdout.write("during " + flags() + ";");
    console.log("after " + JSON.stringify(await result) + " " + flags() + ";");
    `,
  );

  /** Takes pairs of an output and a key, and types each key when the output has appeared. */
  async function type(...steps: string[]): Promise<string> {
    const command = `stty cols 80 rows 24; ${process.execPath} --import tsx ${child}; echo "rc $?;"; stty -a`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    terminal.stdout.on("data", (bytes) => {
      text += bytes;
    });
    const closed = new Promise((resolve) => terminal.once("close", resolve));
    try {
      for (let i = 0; i < steps.length; i += 2) {
        await expect.poll(() => text, { timeout: 20_000 }).toContain(steps[i]);
        terminal.stdin.write(steps[i + 1] as string);
      }
      await closed;
    } finally {
      terminal.kill();
    }
    return text;
  }

  const restored = /[^-]icanon[\s\S]*[^-]echo\b/;

  test("is raw during the session, follows the window size, and is restored when the command ends", async () => {
    const text = await type("during", "\x03", "key 3;", "s", "size 90x24", "e");
    expect(text).toContain("size 80x24;");
    expect(text).toContain("during -echo -icanon;");
    expect(text).toContain('bye;after {"detached":false} echo icanon;');
    expect(text).toContain("rc 0;");
    expect(text.split("rc 0;")[1]).toMatch(restored);
  });

  test("lets the process end after detaching", async () => {
    const text = await type("during", ctrlP, "during", ctrlQ);
    expect(text).toContain('after {"detached":true} echo icanon;');
    expect(text.split("rc 0;")[1]).toMatch(restored);
  });

  test("leaves the alternate screen after an uncaught exception", async () => {
    const text = await type("during", "a", "\x1b[?1049h", "t");
    expect(text.split("\x1b[?1049h")[1]).toContain("\x1b[?1049l");
  });

  test.each([
    ["an uncaught exception", "t", "rc 1;"],
    ["SIGTERM", "k", "rc 143;"],
  ])("is restored after %s", async (_, key, code) => {
    const text = await type("during", key);
    expect(text).not.toContain("after");
    expect(text.split(code)[1]).toMatch(restored);
  });
});
