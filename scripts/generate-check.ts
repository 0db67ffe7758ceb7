/**
 * Checks that generated/ is up to date: generates into a temporary folder and compares. Does not change the working tree.
 *
 *     npm run generate:check
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { bufOrThrow, projectRoot } from "./lib/buf.js";

/** Returns the content of every file below `folder` by relative path. Normalizes line endings, which git may change on checkout. */
function filesBelow(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path).split(sep).join("/"), readFileSync(path, "utf8").replaceAll("\r\n", "\n")];
    }),
  );
}

/** Describes each difference in one line. */
function differences(committed: Map<string, string>, fresh: Map<string, string>): string[] {
  const found: string[] = [];
  for (const [path, content] of fresh) {
    const present = committed.get(path);
    if (present === undefined) found.push(`generated/${path} is missing`);
    else if (present !== content) {
      const wanted = content.split("\n");
      const line = present.split("\n").findIndex((actual, index) => actual !== wanted[index]);
      found.push(`generated/${path} is out of date or was edited by hand (first difference in line ${line + 1})`);
    }
  }
  for (const path of committed.keys()) {
    if (!fresh.has(path)) found.push(`generated/${path} is not generated any more: delete it`);
  }
  return found;
}

const temporary = mkdtempSync(join(tmpdir(), "cri-generate-"));
try {
  bufOrThrow("generate", "--output", temporary);
  const found = differences(filesBelow(join(projectRoot, "generated")), filesBelow(join(temporary, "generated")));
  if (found.length > 0) {
    console.error(
      [
        "generated/ does not match proto/ and buf.gen.yaml:",
        ...found,
        "Run `npm run generate` and commit the result.",
      ].join("\n  "),
    );
    process.exitCode = 1;
  } else {
    console.log("generated/ is up to date.");
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
