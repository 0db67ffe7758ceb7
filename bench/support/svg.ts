/** Pictures as SVG, for light and dark themes. @module */

/** Puts panels into a picture. */
export function picture(
  title: string,
  { width, height }: { width: number; height: number },
  panels: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escapeText(title)}</title>
<style>${style}</style>
<rect class="page" width="${width}" height="${height}" rx="6"/>
${panels.join("\n")}
</svg>
`;
}

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const style = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
text.title, text.ours { font-weight: 600 }
text.baseline { fill: #59636e }
rect.page { fill: #ffffff }
rect.ours { fill: #0969da }
rect.peer { fill: #afb8c1 }
rect.baseline { fill: none; stroke: #afb8c1; stroke-dasharray: 3 2 }
path { stroke-width: 2; fill: none }
path.curve-0 { stroke: #0969da }
path.curve-1 { stroke: #848d97 }
path.curve-2 { stroke: #bc4c00 }
path.curve-3 { stroke: #1a7f37 }
path.grid { stroke: #d1d9e0; stroke-width: 1 }
path.cut { stroke: #ffffff; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  text.baseline { fill: #9198a1 }
  rect.page { fill: #0d1117 }
  rect.ours { fill: #4493f8 }
  rect.peer { fill: #57606a }
  rect.baseline { stroke: #57606a }
  path.curve-0 { stroke: #4493f8 }
  path.curve-2 { stroke: #f0883e }
  path.curve-3 { stroke: #3fb950 }
  path.grid { stroke: #3d444d }
  path.cut { stroke: #0d1117 }
}
`;
