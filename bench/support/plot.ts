/**
 * Draws charts as SVG, for light and dark themes.
 *
 * @module
 */
import type { Chart } from "./chart.js";
import { show } from "./statistics.js";

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

/** Draws one panel for each chart, from top to bottom. */
export function plot(title: string, charts: readonly Chart[]): string {
  let y = padding;
  const panels = charts.map((chart) => {
    const panel = drawChart(chart, y);
    y += titleHeight + chart.bars.length * rowHeight + padding;
    return panel;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" aria-labelledby="title">
<title id="title">${escapeText(title)}</title>
<style>${style}</style>
<rect class="page" width="${width}" height="${y}" rx="6"/>
${panels.join("\n")}
</svg>
`;
}

function drawChart({ name, unit, columns, bars }: Chart, top: number): string {
  const scale = scaleOf(bars.map(({ figures: [value] }) => value));
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

const style = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
text.title, text.ours { font-weight: 600 }
text.baseline { fill: #59636e }
rect.page { fill: #ffffff }
rect.ours { fill: #0969da }
rect.peer { fill: #afb8c1 }
rect.baseline { fill: none; stroke: #afb8c1; stroke-dasharray: 3 2 }
path.cut { stroke: #ffffff; stroke-width: 3; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  text.baseline { fill: #9198a1 }
  rect.page { fill: #0d1117 }
  rect.ours { fill: #4493f8 }
  rect.peer { fill: #57606a }
  rect.baseline { stroke: #57606a }
  path.cut { stroke: #0d1117 }
}
`;

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
