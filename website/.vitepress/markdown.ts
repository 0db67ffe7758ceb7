import type { MarkdownOptions } from "vitepress";

/** The anchor that GitHub gives to a heading, so that links to it work there and on the site. */
export function gitHubAnchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}

/** Wide tables scroll within a box, with the keyboard, too. Otherwise, they would make the page wider than a phone. */
export const scrollTables: NonNullable<MarkdownOptions["config"]> = ({ renderer: { rules } }) => {
  rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
  rules.table_close = () => "</table></div>\n";
};
