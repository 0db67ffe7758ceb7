import type { MarkdownOptions } from "vitepress";
import { entryPoints } from "../build/reference/entry-points.js";

type MarkdownIt = Parameters<NonNullable<MarkdownOptions["config"]>>[0];
type Token = ReturnType<MarkdownIt["parse"]>[number];

/** The pages of exports by name. The main entry point comes first, so its page wins. */
const pages = new Map(
  [...entryPoints]
    .reverse()
    .flatMap(({ folder, exports }) => exports.map((name) => [name, `/api/${folder}/${name}.md`])),
);

/**
 * Links the first mention of each export on a page to its page in the reference. Guides can thus name exports in plain code, as
 * they do on GitHub.
 */
export function linkExports(md: MarkdownIt): void {
  md.core.ruler.push("link_exports", ({ tokens, env, Token }) => {
    if (env.relativePath?.startsWith("api/")) return;
    const linked = new Set<string>();
    tokens.forEach((token, index) => {
      const isHeading = tokens[index - 1]?.type === "heading_open";
      if (token.type !== "inline" || isHeading || !token.children) return;
      let inLink = 0;
      token.children = token.children.flatMap((child): Token[] => {
        inLink += child.type === "link_open" ? 1 : child.type === "link_close" ? -1 : 0;
        const page = pages.get(child.content);
        if (child.type !== "code_inline" || inLink > 0 || page === undefined || linked.has(child.content))
          return [child];
        linked.add(child.content);
        const open = new Token("link_open", "a", 1);
        open.attrSet("href", page);
        return [open, child, new Token("link_close", "a", -1)];
      });
    });
  });
}
