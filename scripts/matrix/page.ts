/**
 * The tables in docs/support.md.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Cell, Group } from "./cell.js";
import { groups } from "./matrix.js";

export const pagePath: string = fileURLToPath(new URL("../../docs/support.md", import.meta.url));

const section = /(?<=<!-- matrix -->\n)[\s\S]*(?=<!-- \/matrix -->)/;

/** Replaces the tables of a page. */
export function withTables(page: string, date: string): string {
  if (!section.test(page)) throw new Error(`${pagePath} has no section between <!-- matrix --> and <!-- /matrix -->`);
  return page.replace(section, () => tables(date));
}

/** Returns the date in the section of a page. */
export function dateIn(page: string): string | undefined {
  return /^Measured on (\d{4}-\d\d-\d\d)/m.exec(section.exec(page)?.[0] ?? "")?.[1];
}

function tables(date: string): string {
  const notes: string[] = [];
  const parts = groups.map((group) => `### ${group.title}\n\n${tableOf(group, notes)}\n`);
  const list = notes.map((note, index) => `${index + 1}. ${note}\n`);
  return [`Measured on ${date}.\n\n`, parts.join("\n"), ...(list.length > 0 ? ["\n", ...list] : [])].join("");
}

function tableOf({ head, cells }: Group, notes: string[]): string {
  const columns = [...new Set(cells.map(({ column }) => column))];
  const rows = [...new Set(cells.map(({ row }) => row))];
  const lines = rows.map((row) =>
    columns.map((column) =>
      statusOf(
        cells.find((cell) => cell.row === row && cell.column === column),
        notes,
      ),
    ),
  );
  const line = (first: string, others: readonly string[]) => `| ${[first, ...others].join(" | ")} |`;
  return [
    line(head, columns),
    `|---|${"---|".repeat(columns.length)}`,
    ...rows.map((row, index) => line(row, lines[index] ?? [])),
  ].join("\n");
}

function statusOf(cell: Cell | undefined, notes: string[]): string {
  if (cell === undefined) return "–";
  if (cell.limit === undefined) return "ok";
  const { status, note } = cell.limit;
  if (!notes.includes(note)) notes.push(note);
  return `${status} (${notes.indexOf(note) + 1})`;
}
