import { Composer, type Document, Lexer, LineCounter, Parser, type YAMLParseError } from "yaml";
import type { SourceFault, TextPosition } from "./source-fault.js";
import { type EntryOffsets, YamlValues } from "./yaml-value.js";

/** The largest text to read: the limit of the Kubernetes API server for one request. */
export const maxTextBytes = 3 * 1024 * 1024;

/** Limits of the parser's work. A manifest of 3 MiB has a tenth of these tokens, and of these levels. */
const maxTokens = 500_000;
const maxDepth = 200;

/** Only the first syntax error of a document is reported: most others follow from it. */
const maxSyntaxErrors = 20;

/** One document of a text. */
export interface TextDocument {
  /** The number of the document in its text, from 1. Empty documents count. */
  number: number;
  value: unknown;
  /** Faults of syntax. The value is of no use then. */
  faults: readonly SourceFault[];
  /** Returns the position of an entry of a map or list of {@link value}, or of the map or list itself. */
  positionOf(container: object, key?: string | number, part?: "key" | "value"): TextPosition | undefined;
}

/**
 * Splits YAML or JSON into its documents. Documents without content are left out. Syntax errors end the reading of a document, not
 * of the others.
 */
export function* readYaml(text: string): Generator<TextDocument, void, undefined> {
  const lines = new LineCounter();
  const position = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  let number = 0;
  for (const item of parse(text, lines)) {
    number++;
    if ("message" in item) {
      yield {
        number,
        value: undefined,
        faults: [{ message: item.message, position: position(item.offset) }],
        positionOf: nowhere,
      };
      return;
    }
    const document = read(item, number, position);
    if (document !== undefined) yield document;
  }
}

function read(parsed: Document, number: number, position: (offset: number) => TextPosition): TextDocument | undefined {
  const faults: SourceFault[] = parsed.errors
    .slice(0, 1)
    .map((error) => ({ message: describe(error), position: position(error.pos[0]) }));
  if (faults.length > 0) return { number, value: undefined, faults, positionOf: nowhere };
  const values = new YamlValues((offset, message, isRepeatedKey) =>
    faults.push({ message, position: position(offset), isRepeatedKey }),
  );
  const value = values.convert(parsed.contents);
  if (value === null && faults.length === 0) return undefined;
  return {
    number,
    value,
    faults,
    positionOf(container, key, part = "value") {
      const offsets = values.offsetsOf(container);
      return offsets && position(offsetIn(offsets, key, part));
    },
  };
}

function offsetIn(offsets: EntryOffsets, key: string | number | undefined, part: "key" | "value"): number {
  if (key === undefined) return offsets.self;
  return (part === "key" ? offsets.keys.get(key) : undefined) ?? offsets.values.get(key) ?? offsets.self;
}

function nowhere(): undefined {}

/** Parses a text in bounded time. The parser itself would abort the process for lists that are nested too deeply. */
function* parse(text: string, lines: LineCounter): Generator<Document | { message: string; offset: number }> {
  // Every plain scalar stays a string here: Kubernetes reads them by rules of its own.
  const composer = new Composer({ schema: "failsafe", prettyErrors: false, uniqueKeys: false, logLevel: "silent" });
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let tokens = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++tokens > maxTokens) return yield { message: `has more than ${maxTokens} tokens`, offset: parser.offset };
    for (const token of parser.next(lexeme)) {
      if (token.type === "error") errors++;
      yield* composer.next(token) as Iterable<Document>;
    }
    if (errors > maxSyntaxErrors) break;
    if (parser.stack.length > maxDepth) {
      return yield { message: `is nested more than ${maxDepth} levels deep`, offset: parser.offset };
    }
  }
  for (const token of parser.end()) yield* composer.next(token) as Iterable<Document>;
  yield* composer.end() as Iterable<Document>;
}

/** The parser's own messages quote the text, which may be a secret. */
function describe({ code }: YAMLParseError): string {
  return `is not valid YAML: ${problems[code] ?? "this is not expected here"}`;
}

const problems: Partial<Record<YAMLParseError["code"], string>> = {
  BAD_ALIAS: "this alias has no anchor",
  BAD_DIRECTIVE: "unknown directive",
  BAD_DQ_ESCAPE: "invalid escape sequence in a double-quoted string; use single quotes for backslashes",
  BAD_INDENT: "wrong indentation, or a bracket that is never closed",
  BAD_SCALAR_START: "a string that begins with this character must be in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'unexpected ": "; a string that contains it must be in quotes',
  BLOCK_IN_FLOW: "a list or map in indented form within brackets",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "a quote, bracket, colon, comma or space is missing",
  MULTILINE_IMPLICIT_KEY: "a key must be on one line; a colon may be missing",
  TAB_AS_INDENT: "a tab in the indentation; use spaces",
};
