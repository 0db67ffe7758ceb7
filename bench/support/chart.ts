import type { Role, Score } from "./interleave.js";
import { show } from "./statistics.js";
import { table } from "./table.js";

/** The figures of one contestant. */
export interface Bar {
  name: string;
  role: Role;
  /** One figure for each column. The picture and "to ours" use the first one. */
  figures: [number, number];
}

/** One measurement of all contestants. Less is better. */
export interface Chart {
  name: string;
  unit: string;
  columns: [string, string];
  bars: Bar[];
}

/** Returns a bar for each contestant that has results. */
export function barsOf<Result>(
  scores: readonly Score<Result>[],
  summarise: (results: readonly Result[]) => [number, number],
): Bar[] {
  const measured = scores.filter(({ results }) => results.length > 0);
  return measured.map(({ name, role, results }) => ({ name, role, figures: summarise(results) }));
}

/** Formats a chart as a Markdown table with the ratio of each bar to ours. */
export function chartTable({ unit, columns, bars }: Chart): string {
  const ours = bars.find(({ role }) => role === "ours")?.figures[0] ?? Number.NaN;
  const rows = bars.map(({ name, role, figures }) => [
    role === "baseline" ? `${name} (baseline)` : name,
    ...figures.map(show),
    show(figures[0] / ours),
  ]);
  return table(["", ...columns.map((column) => `${column} ${unit}`), "to ours"], rows);
}
