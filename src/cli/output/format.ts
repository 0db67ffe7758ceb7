import { type Command, Option } from "commander";
import type { Invocation } from "../command.js";
import { type Column, table } from "./table.js";

/** The formats of commands that list. */
export type OutputFormat = "table" | "wide" | "json" | "yaml" | "name";

/** The options of commands that list. */
export interface ListOptions {
  output: OutputFormat;
  /** False with `--no-trunc`: ids and digests in full. */
  trunc: boolean;
}

/** Adds `--output` and `--no-trunc`. */
export function addListOptions(command: Command): void {
  command
    .addOption(
      new Option("-o, --output <format>", "how to print the list")
        .choices(["table", "wide", "json", "yaml", "name"])
        .default("table"),
    )
    .option("--no-trunc", "print ids and digests in full");
}

/** What {@link printList} prints. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly columns: readonly Column<Item>[];
  /** What `-o name` prints of an item: what other commands take. */
  readonly name: (item: Item) => string;
  /** What `-o json` and `-o yaml` print: the messages of the runtime as JSON. @defaultValue the items */
  readonly json?: () => unknown;
}

/** Prints a list in the format that the user chose. */
export async function printList<Item>(
  { print }: Invocation,
  { output }: ListOptions,
  { items, columns, name, json }: Listing<Item>,
): Promise<void> {
  switch (output) {
    case "name":
      return print(items.map((item) => `${name(item)}\n`).join(""));
    case "json":
    case "yaml":
      return print(await structured(json ? json() : items, output));
    default:
      return print(
        table(
          items,
          columns.filter(({ wide }) => output === "wide" || !wide),
        ),
      );
  }
}

/** Formats a value as JSON or YAML. */
export async function structured(value: unknown, format: "json" | "yaml"): Promise<string> {
  const json = JSON.stringify(value, undefined, 2);
  if (format === "json") return `${json}\n`;
  const { stringify } = await import("yaml");
  return stringify(JSON.parse(json));
}
