/** A column of a table. */
export interface Column<Item> {
  /** The heading, in capitals. */
  readonly title: string;
  readonly cell: (item: Item) => string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
}

/** The space between two columns. */
const gap = "   ";

/** Formats a table as kubectl does: headings in capitals, columns as wide as their longest cell, no lines. */
export function table<Item>(items: readonly Item[], columns: readonly Column<Item>[], withHeader = true): string {
  const rows = items.map((item) => columns.map(({ cell }) => printable(cell(item))));
  if (withHeader) rows.unshift(columns.map(({ title }) => title));
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => (row[index] as string).length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] as number))
          .join(gap)
          .trimEnd()}\n`,
    )
    .join("");
}

/** Replaces control characters, with which a name or label could change the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** Does the same to a message, which may have several lines. */
export function printableLines(message: string): string {
  return message.split("\n").map(printable).join("\n");
}
