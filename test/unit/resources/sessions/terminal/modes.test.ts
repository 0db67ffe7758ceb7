import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TerminalModes } from "../../../../../src/resources/sessions/terminal/modes.js";

function resetAfter(...chunks: readonly (string | Buffer)[]): string {
  const modes = new TerminalModes();
  for (const chunk of chunks) modes.take(Buffer.from(chunk));
  return modes.reset;
}

/** A change by a program, how the program turns it on and off, and the reset if the program does not turn it off. */
const changes: [string, string, string, string][] = [
  ["the alternate screen", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?1049l"],
  ["a hidden cursor", "\x1b[?25l", "\x1b[?25h", "\x1b[?25h"],
  ["no line wrapping", "\x1b[?7l", "\x1b[?7h", "\x1b[?7h"],
  ["mouse reports", "\x1b[?1003h", "\x1b[?1003l", "\x1b[?1003l"],
  ["bracketed paste", "\x1b[?2004h", "\x1b[?2004l", "\x1b[?2004l"],
  ["several modes at once", "\x1b[?1000;1006h", "\x1b[?1000;1006l", "\x1b[?1006l\x1b[?1000l"],
  ["application mode of the cursor keys", "\x1b[?1h", "\x1b[?1l", "\x1b[?1l"],
  ["application mode of the keypad", "\x1b=", "\x1b>", "\x1b>"],
  ["insertion", "\x1b[4h", "\x1b[4l", "\x1b[4l"],
  ["attributes", "\x1b[1;31m", "\x1b[m", "\x1b[0m"],
  ["black text", "\x1b[38;5;0m", "\x1b[0m", "\x1b[0m"],
  ["the character set for lines", "\x1b(0", "\x1b(B", "\x0f\x1b(B"],
  ["the second character set", "\x1b)0\x0e\x1b(B", "\x1b)B", "\x0f\x1b)B"],
  ["Latin-1 instead of UTF-8", "\x1b%@", "\x1b%G", "\x0f\x1b%G"],
  ["a mode that a C1 control character turns on", "\u009b?1049h", "\u009b?1049l", "\x1b[?1049l"],
  ["a scroll region", "\x1b[2;10r", "\x1b[r", "\x1b7\x1b[r\x1b8"],
  ["another cursor shape", "\x1b[5 q", "\x1b[0 q", "\x1b[0 q"],
  ["modified key codes", "\x1b[>4;2m", "\x1b[>4m", "\x1b[>4m"],
  ["the keyboard protocol of kitty", "\x1b[>1u", "\x1b[<u", "\x1b[=0u\x1b[<9u"],
];

describe("TerminalModes", () => {
  test.each(changes)("resets %s, unless the program does", (_name, on, off, reset) => {
    expect(resetAfter(`before${on}after`)).toBe(reset);
    expect(resetAfter(`${on}text${off}`)).toBe("");
    expect(resetAfter(`${off}text`)).toBe("");
  });

  test.each([
    ["a line break within it", "\x1b[?10\n49h"],
    ["a line break after ESC", "\x1b\n[?1049h"],
    ["leading zeros", "\x1b[?001049h"],
    ["thirty parameters", `\x1b[?${"8;".repeat(29)}1049h`],
  ])("recognizes a control sequence with %s", (_name, output) => {
    expect(resetAfter(output)).toBe("\x1b[?1049l");
  });

  test("resets changes in reverse order", () => {
    const left = "\x1b[?1049h\x1b[?1000h\x1b[?25l";
    expect(resetAfter(left)).toBe("\x1b[?25h\x1b[?1000l\x1b[?1049l");
  });

  test.each([
    ["nothing", ""],
    ["plain text", "hello, world\r\n"],
    ["moves of the cursor", "\x1b[H\x1b[2J\x1b[10;20H\x1b[K"],
    ["text that is not ASCII", "£é€\u0085"],
    ["a title", "\x1b]0;title\x07"],
    ["a title with the other terminator", "\x1b]0;title\x1b\\"],
    ["modes with different defaults on different terminals", "\x1b[?8h\x1b[?1007h\x1b[?1034l"],
    ["a mode within a title", "\x1b]0;[?1049h\x07"],
    ["a control sequence that is cancelled", "\x1b[?104\x189h"],
    ["a private mode that is saved and restored", "\x1b[?1049s\x1b[?1049r"],
    ["all changes, followed by a full reset", `${changes.map(([, on]) => on).join("")}\x1bc`],
    ["a malformed sequence", `\x1b[?${"1049;".repeat(1_000)}1049h`],
  ])("adds nothing after %s", (_name, output) => {
    expect(resetAfter(output)).toBe("");
  });

  test.each([
    ["a title", "\x1b]0;half a tit"],
    ["a control sequence", "\x1b[?104"],
    ["an escape", "\x1b"],
  ])("ends %s that is cut off", (_name, output) => {
    expect(resetAfter(output)).toBe("\x1b\\");
  });

  test("has the same result however the output is split into chunks", () => {
    const output = Buffer.from(changes.map(([name, on, off], i) => (i % 2 ? on : `${on}${name}${off}${on}`)).join(""));
    const whole = resetAfter(output);
    fc.assert(
      fc.property(fc.array(fc.nat(output.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), output.length];
        expect(resetAfter(...at.slice(1).map((end, i) => output.subarray(at[i], end)))).toBe(whole);
      }),
    );
  });

  test("uses bounded memory for unlimited output", () => {
    const modes = new TerminalModes();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(3_000), (bytes, mode) => {
        modes.take(Buffer.from(bytes));
        modes.take(Buffer.from(`\x1b[?${mode}h`));
      }),
    );
    modes.take(Buffer.from(`\x1b\\${"\x1b[".padEnd(100_000, "1;")}`));
    expect(modes.reset.length).toBeLessThan(500);
  });
});
