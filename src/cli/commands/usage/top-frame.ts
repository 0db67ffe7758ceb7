import type { ContainerUsage, UsageSnapshot } from "../../../index.js";
import { size } from "../../output/cells.js";
import type { Styles } from "../../output/styles.js";
import { printable, table } from "../../output/table.js";
import { narrowColumns, type SortKey } from "./columns.js";

/** What a frame shows. */
export interface FrameContent {
  readonly latest: UsageSnapshot | undefined;
  /** Why the last measurement failed. */
  readonly failure: string | undefined;
  readonly order: SortKey;
  readonly containers: readonly ContainerUsage[];
}

/** The lines of a frame that fits the terminal. */
export function frame(
  { latest, failure, order, containers }: FrameContent,
  { columns, rows, styles }: { columns: number; rows: number; styles: Styles },
): string[] {
  const cut = (line: string) => line.slice(0, columns);
  if (!latest) return [cut(failure === undefined ? "Measuring ..." : printable(failure))];
  const pods = new Set(containers.map(({ pod }) => pod?.id)).size;
  const cores = sum(containers.map(({ cpu }) => cpu?.cores));
  const memory = sum(containers.map(({ memory }) => memory?.workingSetBytes));
  const summary = [
    latest.at.toTimeString().slice(0, 8),
    `${containers.length} containers in ${pods} pods`,
    `${cores.toFixed(2)} cores`,
    `${size(memory)} memory`,
    `sorted by ${order}`,
  ].join(", ");
  const [heading = "", ...lines] = table(containers, narrowColumns).trimEnd().split("\n");
  const notice = failure === undefined ? "" : styles("red", cut(printable(failure)));
  const top = [styles("bold", cut(summary)), notice, styles("inverse", cut(heading.padEnd(columns)))];
  return [...top, ...lines.slice(0, Math.max(0, rows - top.length)).map(cut)];
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
