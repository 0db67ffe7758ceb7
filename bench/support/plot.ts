/**
 * Draws charts as SVG, for light and dark themes.
 *
 * @module
 */
import type { Chart } from "./chart.js";
import type { Curves } from "./curves.js";
import { curvesHeight, drawCurves } from "./plot-curves.js";
import { show } from "./statistics.js";
import { escapeText, picture } from "./svg.js";

const width = 800;
const [nameWidth, barWidth] = [230, 400];
const [rowHeight, titleHeight, padding] = [26, 38, 16];

/**
 * Returns the value that fills the width. Cuts off a value in the upper half that is more than four times the next smaller one, so
 * that the other bars stay distinguishable.
 */
export function scaleOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.ceil(sorted.length / 2);
  const gap = sorted.findIndex((value, index) => index >= half && value > 4 * (sorted[index - 1] ?? value));
  return gap === -1 ? (sorted.at(-1) ?? 1) : (sorted[gap - 1] ?? 1) * 1.25;
}

/** Returns the part of the width that a bar takes, and whether it is cut off. */
export function barOf(value: number, scale: number): { part: number; cut: boolean } {
  const part = scale > 0 ? value / scale : 0;
  return { part: Math.min(1, Math.max(0, part)), cut: part > 1 };
}

/** Draws one panel for each chart and for each diagram, from top to bottom. */
export function plot(title: string, charts: readonly Chart[], diagrams: readonly Curves[] = []): string {
  let y = padding;
  const bars = charts.map((chart) => {
    const panel = drawChart(chart, y);
    y += titleHeight + chart.bars.length * rowHeight + padding;
    return panel;
  });
  const lines = diagrams.map((diagram) => {
    const panel = drawCurves(diagram, y);
    y += curvesHeight + padding;
    return panel;
  });
  const panels = [...bars, ...lines];
  return picture(title, { width, height: y }, panels);
}

function drawChart({ name, unit, columns, bars }: Chart, top: number): string {
  // Our own bars are never cut off: that would flatter them.
  const own = bars.filter(({ role }) => role === "ours").map(({ figures: [value] }) => value);
  const scale = Math.max(scaleOf(bars.map(({ figures: [value] }) => value)), ...own);
  const ours = bars.find(({ role }) => role === "ours")?.figures[0];
  const rows = bars.map(({ name: label, role, figures: [value] }, index) => {
    const y = top + titleHeight + index * rowHeight;
    const { part, cut } = barOf(value, scale);
    const length = Math.max(1, part * barWidth);
    const middle = y + rowHeight / 2 + 4;
    const ratio = ours === undefined || role === "ours" ? "" : ` · ${show(value / ours)}×`;
    const end = padding + nameWidth + length;
    const mark = cut ? `<path class="cut" d="M${end - 14} ${y + 22}l6 -18M${end - 8} ${y + 22}l6 -18"/>` : "";
    return `<text class="${role}" x="${padding + nameWidth - 8}" y="${middle}" text-anchor="end">${escapeText(label)}</text>
<rect class="${role}" x="${padding + nameWidth}" y="${y + 4}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="2"/>${mark}
<text class="${role}" x="${(end + 6).toFixed(1)}" y="${middle}">${show(value)} ${unit}${ratio}</text>`;
  });
  return `<text class="title" x="${padding}" y="${top + 20}">${escapeText(name)} (${escapeText(columns[0])}, less is better)</text>
${rows.join("\n")}`;
}
