import { expect, test } from "vitest";
import { readYaml } from "../../../../src/json/yaml/yaml-text.js";

const documents = (text: string) => [...readYaml(text)];
const contentOf = (text: string) => JSON.parse(JSON.stringify(documents(text)[0]?.value));
const faultOf = (text: string) => documents(text).flatMap(({ faults }) => faults)[0];

test.each<[string, unknown]>([
  ["0400", 0o400],
  ["0o400", 0o400],
  ["0x1F", 31],
  ["0b11", 3],
  ["-5", -5],
  ["+5", 5],
  ["1_000", 1000],
  ["08", 8],
  ["1e3", 1000],
  [".5", 0.5],
  ["5.", 5],
  ["12:30", "12:30"],
  ["2026-01-01", "2026-01-01"],
  ["1.2.3", "1.2.3"],
  ["yes", true],
  ["On", true],
  ["off", false],
  ["y", "y"],
  ["N", "N"],
  ["~", null],
  ["", null],
  ["'yes'", "yes"],
  ["!!str 5", "5"],
  ["!!int '5'", 5],
  ["a b", "a b"],
  ["-", [null]],
  ["'\\ud83d'", "\\ud83d"],
  ['"\\ud83d\\ude00\\/"', "\u{1f600}/"],
])("reads %j as Kubernetes does", (text, expected) => {
  expect(contentOf(`a:${text === "-" ? "\n-" : ` ${text}`}\nb: c`)).toEqual({ a: expected, b: "c" });
});

test("keeps whole numbers beyond 2^53", () => {
  expect(documents("a: 9223372036854775807")[0]?.value).toEqual({ a: 9223372036854775807n });
});

test("reads anchors, aliases and merge keys", () => {
  expect(contentOf("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {c: 4, <<: [*x, {g: 5}]}")).toEqual({
    a: { b: 1, c: 2 },
    d: { b: 1, c: 2 },
    e: { b: 1, c: 3 },
    f: { b: 1, c: 4, g: 5 },
  });
});

test("reads JSON with tabs, CRLF, a byte order mark in front and several documents", () => {
  expect(contentOf('{\r\n\t"a": [1,\r\n\t\t2]\r\n}\r\n')).toEqual({ a: [1, 2] });
  expect(
    documents("# only a comment\n---\na: 1\n---\n---\nb: 2\n...\n").map(({ number, value }) => [
      number,
      { ...(value as object) },
    ]),
  ).toEqual([
    [1, { a: 1 }],
    [3, { b: 2 }],
  ]);
});

test.each([
  ["a: 1\nb: 2\na: 3", 'the key "a" is set twice', 3, 1],
  ["a: 1\n\tb: 2", "is not valid YAML: a tab in the indentation; use spaces", 2, 1],
  ["a: b: c", 'is not valid YAML: unexpected ": "; a string that contains it must be in quotes', 1, 4],
  ["a: [1, 2", "is not valid YAML: wrong indentation, or a bracket that is never closed", 1, 9],
  ["a: @b", "is not valid YAML: a string that begins with this character must be in quotes", 1, 4],
  ["a: *x", "the alias has no anchor before it", 1, 4],
  ["a: &x [*x]", "the alias refers to a value that contains it", 1, 8],
  ["a: .inf", "must be a finite number", 1, 4],
  ["yes: 1", "YAML reads the key yes as a boolean; put it in quotes", 1, 1],
  ["a: !!binary aGk=", "the tag !!binary is not supported here", 1, 13],
  ["a: !foo {}", "the tag !foo is not supported", 1, 9],
  ["? [a]\n: b", "a key must be a string", 1, 3],
  ["a: {{ .Release.Name }}", "a key must be a string; a template such as {{ name }} must be rendered first", 1, 5],
  ["a: {<<: 5}", "the value of << must be a map or a list of maps", 1, 9],
])("refuses %j with the position", (text, message, line, column) => {
  expect(faultOf(text)).toMatchObject({ message, position: { line, column } });
});

test.each<[string, string]>([
  ["nested lists", "[".repeat(100_000)],
  ["nested block lists", "- ".repeat(50_000)],
  ["nested maps", '{"a":'.repeat(50_000)],
])("refuses %s beyond 200 levels", (_, text) => {
  expect(faultOf(text)?.message).toBe("is nested more than 200 levels deep");
});

test("refuses strings of too many tokens", () => {
  expect(faultOf(`[${"1,".repeat(300_000)}]`)?.message).toBe("has more than 500000 tokens");
});

test("bounds what aliases expand to", () => {
  const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`);
  const text = `l0: &l0 [a, a, a, a, a, a, a, a, a]\n${levels.join("\n")}`;
  expect(faultOf(text)?.message).toBe("the aliases of the document expand to more than 100000 values");
});
