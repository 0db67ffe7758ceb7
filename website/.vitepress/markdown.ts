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

/** An empty cell above the names of rows becomes an ordinary cell: screen readers would announce a header without a name. */
export const unmarkEmptyHeaders: NonNullable<MarkdownOptions["config"]> = ({ core: { ruler } }) => {
  ruler.push("empty_headers", ({ tokens }) => {
    for (const [index, opening] of tokens.entries()) {
      const [content, closing] = tokens.slice(index + 1, index + 3);
      if (opening.type !== "th_open" || content?.content !== "" || closing === undefined) continue;
      opening.tag = "td";
      closing.tag = "td";
    }
  });
};
