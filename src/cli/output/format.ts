import { type Command, Option } from "commander";
import { parseExactly, stringifyExactly } from "../../json/exact-json.js";
import type { Invocation } from "../command.js";
import { type Column, printable, table } from "./table.js";

/** The formats of commands that list. */
export type OutputFormat = "table" | "wide" | "json" | "yaml" | "name";

/** The options of commands that list. */
export interface ListOptions {
  output: OutputFormat;
  /** The same as `--output name`. */
  quiet?: boolean;
  /** False with `--no-trunc`: ids and digests in full. */
  trunc: boolean;
}

/** Adds `--output`, `--quiet` and `--no-trunc`. */
export function addListOptions(command: Command): void {
  command
    .addOption(
      new Option("-o, --output <format>", "how to print the list")
        .choices(["table", "wide", "json", "yaml", "name"])
        .default("table"),
    )
    .option("-q, --quiet", "print only names or ids, as -o name does")
    .option("--no-trunc", "print ids and digests in full");
}

/** What {@link printList} prints. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly columns: readonly Column<Item>[];
  /** What `-o name` prints of an item: what other commands take. */
  readonly name: (item: Item) => string;
  /** What `-o json` and `-o yaml` print: the messages of the runtime, which have crictl's JSON. @defaultValue the items */
  readonly json?: () => unknown;
}

/** Prints a list in the format that the user chose. */
export async function printList<Item>(
  { print }: Invocation,
  { output, quiet }: ListOptions,
  { items, columns, name, json }: Listing<Item>,
): Promise<void> {
  const format = quiet ? "name" : output;
  switch (format) {
    case "name":
      return print(items.map((item) => `${printable(name(item))}\n`).join(""));
    case "json":
    case "yaml":
      return print(await structured(json ? json() : items, format));
    default:
      return print(
        table(
          items,
          columns.filter(({ wide }) => format === "wide" || !wide),
        ),
      );
  }
}

/** Formats a value as JSON or YAML. A `bigint` is written as a number. */
export async function structured(value: unknown, format: "json" | "yaml"): Promise<string> {
  const json = stringifyExactly(value, 2);
  if (format === "json") return `${escaped(json)}\n`;
  const { stringify } = await import("yaml");
  return escaped(stringify(parseExactly(json)));
}

/** Formats a value as a line of JSON. */
export function jsonLine(value: unknown): string {
  return `${escaped(JSON.stringify(value))}\n`;
}

/**
 * Escapes the control characters that JSON and YAML do not: DEL, and those from U+0080 on, with which a name could change the
 * terminal. Both formats have them in quoted strings only, in which this escape means the same.
 */
function escaped(document: string): string {
  return document.replace(/[\x7f-\x9f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

/** Adds `--output` to a command that prints one object. */
export function addObjectOption(command: Command, description = "how to print it"): void {
  command.addOption(
    new Option("-o, --output <format>", description).choices(["table", "json", "yaml"]).default("table"),
  );
}

/** Formats names and values in two columns, for one object. Leaves out values that are not known. */
export function properties(values: Readonly<Record<string, string | undefined>>): string {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return table(
    known,
    [
      { title: "", cell: ([name]) => name },
      { title: "", cell: ([, value]) => value as string },
    ],
    false,
  );
}
