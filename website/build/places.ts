/**
 * The folders of the site.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The root of the repository. */
export const repository = folder("../..");

/** The address of the repository, without a slash at the end. A placeholder until `npm run repository` sets it. */
export const repositoryAddress = manifest.repository.url.replace(/^git\+|\.git$/g, "");

/** The package that builds the site. */
export const website = folder("..");

/** The assembled Markdown, which VitePress reads. */
export const source = folder("../.cache/source");

/** The built sites. The second proves that the site works below a path, as on GitHub Pages. */
export const outputs = {
  root: { base: "/", folder: folder("../dist") },
  below: { base: "/k8s-cri-client/", folder: folder("../.cache/below") },
} as const;
