/** Formats a Markdown table with aligned columns: numbers to the right, everything else to the left. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const numeric = heads.map((_, column) => rows.every((row) => /^[-\d.–]*$/.test(row[column] ?? "")));
  const cell = (content: string, column: number) =>
    numeric[column] ? content.padStart(widths[column] ?? 0) : content.padEnd(widths[column] ?? 0);
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = widths.map((width, column) => (numeric[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(heads), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}
