import { describe, expect, it, test } from "vitest";
import { toEnvs } from "../../../src/specs/environment.js";
import { refusal } from "./refusal.js";

const read = (env: never) =>
  toEnvs(env, "spec.env").map(({ key, value }) => [key, Buffer.from(value).toString("latin1")]);

test.each<[string, unknown, [string, string][]]>([
  ["nothing", undefined, []],
  [
    "an object",
    { A: "1", B: "" },
    [
      ["A", "1"],
      ["B", ""],
    ],
  ],
  ["undefined entries are omitted", { A: undefined, B: "2" }, [["B", "2"]]],
  ["strings become UTF-8", { A: "ü" }, [["A", "\xc3\xbc"]]],
  ["bytes stay bytes", { A: Uint8Array.of(0xc3, 0xbc) }, [["A", "\xc3\xbc"]]],
  [
    "an array keeps order and repetition",
    [{ name: "B", value: "2" }, { name: "B" }],
    [
      ["B", "2"],
      ["B", ""],
    ],
  ],
  ["unusual names that kernels accept", { "a.b-c d": "x" }, [["a.b-c d", "x"]]],
])("%s", (_, env, expected) => {
  expect(read(env as never)).toEqual(expected);
});

it("copies bytes", () => {
  const bytes = Uint8Array.of(1, 2);
  const [entry] = toEnvs({ A: bytes }, "spec.env");
  bytes[0] = 9;
  expect(entry!.value).toEqual(Uint8Array.of(1, 2));
});

describe("refuses without showing values", () => {
  const secret = "hunter2";
  test.each<[unknown, RegExp]>([
    [`A=${secret}`, /must be an object or an array of \{ name, value \}, got a string/],
    [[`A=${secret}`], /^spec.env\[0\]: must be \{ name, value \}, got a string/],
    [{ A: { secret } }, /^spec.env.A: must be a string or bytes, got an object/],
    [{ A: 48151623 }, /^spec.env.A: must be a string or bytes, got a number/],
    [{ A: `${secret}\0` }, /^spec.env.A: must not contain a NUL/],
    [{ A: Uint8Array.of(0xff, 0xfe, 0x41) }, /^spec.env.A: must be UTF-8: runtimes replace other bytes/],
    [{ A: Uint8Array.of(1, 0) }, /^spec.env.A: must not contain a NUL/],
    [{ "": secret }, /needs a name for every variable/],
    [{ [`A=${secret}`]: "x" }, /must not contain '='/],
    [[{ name: `A=${secret}` }], /^spec.env\[0\].name: a name must not contain '=', got "A=…"/],
    [[{ name: "A\0" }], /NUL/],
    [[{ value: secret }], /^spec.env\[0\].name: needs a name/],
    [[{ name: "A", valeu: secret }], /^spec.env\[0\].valeu: unknown field; did you mean value\?/],
    [[null], /^spec.env\[0\]: must be an object/],
  ])("%o", (env, expected) => {
    const message = refusal(() => toEnvs(env as never, "spec.env"));
    expect(message).toMatch(expected);
    expect(message).not.toContain(secret);
    expect(message).not.toContain("48151623");
  });
});
