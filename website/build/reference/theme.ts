import type { Reflection } from "typedoc";
import { type MarkdownPageEvent, MarkdownTheme, type MarkdownThemeContext } from "typedoc-plugin-markdown";

/** Differs from the theme of the plugin to keep pages and the search short. */
export class ReferenceTheme extends MarkdownTheme {
  /** Headings without an anchor, such as "Parameters" and "Returns" of a member, become paragraphs, or begin one. */
  override render(page: MarkdownPageEvent): string {
    const markdown = super.render(page).replace(/^### Constructor$/m, "### Constructor {#constructor}");
    return markdown
      .replace(/^#{3,6} (?!.*\{#)(.*)$/gm, "**$1**")
      .replace(/^\*\*(Default Value|Returns|Throws)\*\*\n\n(?=[^\s#>|-])(?!```)/gm, "**$1:** ");
  }

  /** Links to the source once a page, not for every property. */
  override getRenderContext(page: MarkdownPageEvent<Reflection>): MarkdownThemeContext {
    const context = super.getRenderContext(page);
    const { sources } = context.partials;
    context.partials.sources = (model, options) => (page.model === ownerOf(model) ? sources(model, options) : "");
    return context;
  }
}

/** A signature belongs to a function, which has the page. */
function ownerOf(model: Reflection): Reflection | undefined {
  return model.isSignature() ? model.parent : model;
}
