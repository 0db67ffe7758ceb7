import type { Role, Score } from "./interleave.js";
import { show } from "./statistics.js";
import { table } from "./table.js";

/** One of those that were measured. */
export interface Bar {
  name: string;
  role: Role;
  /** As many as the chart has columns; the first one is drawn, and compared. */
  figures: [number, number];
}

/** One measurement. Less is better. */
export interface Chart {
  name: string;
  unit: string;
  columns: [string, string];
  bars: Bar[];
}

/** One for each of those that have achieved something. */
export function barsOf<Result>(
  scores: readonly Score<Result>[],
  summarise: (results: readonly Result[]) => [number, number],
): Bar[] {
  const measured = scores.filter(({ results }) => results.length > 0);
  return measured.map(({ name, role, results }) => ({ name, role, figures: summarise(results) }));
}

/** The table of a chart, with each one's ratio to ours. */
export function chartTable({ unit, columns, bars }: Chart): string {
  const ours = bars.find(({ role }) => role === "ours")?.figures[0] ?? Number.NaN;
  const rows = bars.map(({ name, role, figures }) => [
    role === "yardstick" ? `${name} (yardstick)` : name,
    ...figures.map(show),
    show(figures[0] / ours),
  ]);
  return table(["", ...columns.map((column) => `${column} ${unit}`), "to ours"], rows);
}
