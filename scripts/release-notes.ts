/**
 * Prints the section of a version in CHANGELOG.md, for its release.
 *
 *     npm run --silent release-notes -- 0.1.0
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Returns the content of a version's section, without its heading. Links to files lead to the tag of the version, because a release
 * is not in the folder of the changelog.
 *
 * @param repository the address of the repository
 * @throws Error if the changelog has no such section, or more than one, or an empty one
 */
export function releaseNotes(changelog: string, version: string, repository: string): string {
  const sections = changelog.split(/^(?=## )/m).filter((section) => section.startsWith("## "));
  const found = sections.filter(
    (section) => /^## \[([^\]]+)\](?: - \d{4}-\d\d-\d\d)?$/m.exec(section)?.[1] === version,
  );
  const [section, second] = found;
  if (section === undefined || second !== undefined) {
    throw new Error(`CHANGELOG.md must have one section "## [${version}] - YYYY-MM-DD", and has ${found.length}`);
  }
  const notes = section.slice(section.indexOf("\n")).trim();
  if (!/^- /m.test(notes)) throw new Error(`the section of ${version} in CHANGELOG.md lists no changes`);
  return notes.replace(/\]\((?![a-z]+:|#)([^)]+)\)/g, (_, path: string) => `](${repository}/blob/v${version}/${path})`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [version = ""] = process.argv.slice(2);
  const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  const repository = JSON.parse(read("package.json")).repository.url.replace(/^git\+|\.git$/g, "");
  try {
    console.log(releaseNotes(read("CHANGELOG.md"), version, repository));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
