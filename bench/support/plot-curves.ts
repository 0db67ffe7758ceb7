/** Draws diagrams with lines as SVG, for light and dark themes. @module */
import type { Curves } from "./curves.js";
import { escapeText } from "./svg.js";

const [left, width, height] = [72, 560, 180];
const [titleHeight, axisHeight] = [38, 44];

/** The height of a diagram with its title and its axis. */
export const curvesHeight = titleHeight + height + axisHeight;

/** Returns a round number that is at least the value: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}

export function drawCurves({ name, unit, x, isLogarithmic = false, curves }: Curves, top: number): string {
  const all = curves.flatMap(({ points }) => points);
  const xs = all.map(([at]) => at);
  const [first, last] = [isLogarithmic ? Math.min(...xs) : 0, Math.max(...xs)];
  const highest = roundUp(Math.max(...all.map(([, value]) => value)));
  const part = (at: number) => {
    const scale = isLogarithmic ? Math.log : (value: number) => value;
    return last > first ? (scale(at) - scale(first)) / (scale(last) - scale(first)) : 0.5;
  };
  const [originY, endX] = [top + titleHeight + height, left + width];
  const toX = (at: number) => left + part(at) * width;
  const toY = (value: number) => originY - (value / highest) * height;
  const grid = [0, 0.5, 1].map((share) => {
    const y = originY - share * height;
    return `<path class="grid" d="M${left} ${y}H${endX}"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${Number((share * highest).toPrecision(3))}</text>`;
  });
  const marks = isLogarithmic ? [...new Set(xs)] : [first, (first + last) / 2, last];
  const axis = marks.map(
    (at) => `<text x="${toX(at).toFixed(1)}" y="${originY + 18}" text-anchor="middle">${Number(at.toFixed(1))}</text>`,
  );
  const lines = curves.map(({ points }, index) => {
    const path = points.map(([at, value]) => `${toX(at).toFixed(1)} ${toY(value).toFixed(1)}`).join("L");
    return `<path class="curve-${index}" d="M${path}"/>`;
  });
  const labels = curves.map(({ name: label }, index) => {
    const y = top + titleHeight + 14 + index * 20;
    return `<path class="curve-${index}" d="M${endX + 14} ${y - 4}h18"/><text x="${endX + 38}" y="${y}">${escapeText(label)}</text>`;
  });
  return `<text class="title" x="16" y="${top + 20}">${escapeText(name)} (${escapeText(unit)}, less is better)</text>
${[...grid, ...axis].join("\n")}
<text x="${left + width / 2}" y="${originY + 36}" text-anchor="middle">${escapeText(x)}</text>
${[...lines, ...labels].join("\n")}`;
}
