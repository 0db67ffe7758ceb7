/** Figures that change: over time, or with the number of objects. @module */
import { show } from "./statistics.js";
import { table } from "./table.js";

/** One line of a diagram. */
export interface Curve {
  name: string;
  /** In the order of x. */
  points: (readonly [x: number, y: number])[];
}

/** A diagram of up to four curves, of which the first one is ours. Less is better. */
export interface Curves {
  name: string;
  /** The unit of y. */
  unit: string;
  /** What x is, with its unit. */
  x: string;
  /** Whether each step to the right multiplies x. @defaultValue false */
  isLogarithmic?: boolean;
  curves: Curve[];
}

/** Formats a diagram as a Markdown table with a row for each x. Only for diagrams whose curves have the same few x. */
export function curvesTable({ x, curves }: Curves): string {
  const all = [...new Set(curves.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const figure = ({ points }: Curve, at: number) => show(points.find(([other]) => other === at)?.[1] ?? Number.NaN);
  const rows = all.map((at) => [String(at), ...curves.map((curve) => figure(curve, at))]);
  return table([x, ...curves.map(({ name }) => name)], rows);
}
