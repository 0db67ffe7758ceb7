import { describe, expect, test } from "vitest";
import { goQuote } from "../../../../src/kubernetes/planning/go-quote.js";

describe("goQuote", () => {
  test.each([
    ["", '""'],
    ["plain text", '"plain text"'],
    ['say "hi" \\ there', '"say \\"hi\\" \\\\ there"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\0\x1f\x7f", '"\\x00\\x1f\\x7f"'],
    ["é €", '"é €"'],
    ["\u00a0\u200b\ufeff", '"\\u00a0\\u200b\\ufeff"'],
    ["😀", '"😀"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("%j becomes %s", (text, expected) => {
    expect(goQuote(text)).toBe(expected);
  });
});
