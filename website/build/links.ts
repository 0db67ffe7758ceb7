/**
 * Rewrites the links of a page for the site.
 *
 * @module
 */
import { posix } from "node:path";

export interface Placement {
  /** The page, relative to the root of the repository. */
  readonly file: string;
  /** Whether a file of the repository is a page of the site. */
  readonly isPage: (file: string) => boolean;
  /** The address of the repository, without a slash at the end. */
  readonly repository: string;
}

/** Returns where a page of the repository is on the site: guides are at the top, the others have lower-case names. */
export function pathOnSite(file: string): string {
  return file.startsWith("docs/") ? file.slice("docs/".length) : file.toLowerCase();
}

/**
 * Rewrites links to files of the repository. A link to a page leads to the page on the site, other links lead to the repository.
 * Images, addresses and anchors of the same page stay as they are. Code is left alone.
 */
export function rewriteLinks(markdown: string, placement: Placement): string {
  return markdown.replace(
    /(^```.*?^```|`[^`\n]*`)|(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/gms,
    (all, code, image, text, target) => {
      if (code !== undefined || image === "!" || /^(#|[a-z]+:)/.test(target)) return all;
      return `[${text}](${destination(target, placement)})`;
    },
  );
}

function destination(target: string, { file, isPage, repository }: Placement): string {
  const [path = "", anchor] = target.split("#");
  const linked = posix.normalize(posix.join(posix.dirname(file), path));
  const suffix = anchor === undefined ? "" : `#${anchor}`;
  if (!isPage(linked)) return `${repository}/blob/main/${linked}${suffix}`;
  const relative = posix.relative(posix.dirname(pathOnSite(file)), pathOnSite(linked));
  return `${relative.startsWith(".") ? "" : "./"}${relative}${suffix}`;
}
