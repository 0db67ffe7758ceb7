/**
 * Creates the reports in `api/` from the declarations that the compiler writes for the published package.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { projectRoot } from "../lib/buf.js";
import { apiReports } from "./report.js";

const run = promisify(execFile);

/** Returns the content of the files in `api/` by name. Does not need or change `dist/`. */
export async function freshReports(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "cri-api-"));
  try {
    const tsc = join(projectRoot, "node_modules/typescript/bin/tsc");
    const options = ["-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", folder];
    await run(process.execPath, [tsc, ...options], { cwd: projectRoot });
    const entries = Object.entries(manifest.exports).flatMap(([subpath, entry]) =>
      typeof entry === "string"
        ? []
        : [[subpath.replace(".", manifest.name), join(folder, entry.require.types.replace("./dist/", ""))]],
    );
    // The messages are in generated/, which is committed.
    const reports = apiReports(Object.fromEntries(entries), [`${manifest.name}/proto`]);
    const named = Object.entries(reports).map(([entry, report]) => {
      const name = entry === manifest.name ? "index" : basename(entry);
      return [`${name}.d.ts`, formatted(`// The public types of ${entry}. Written by \`npm run api\`.\n\n${report}\n`)];
    });
    return Object.fromEntries(await Promise.all(named.map(async ([name, text]) => [name, await text])));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Formats like the sources: the compiler writes long types in one line. */
async function formatted(text: string): Promise<string> {
  const biome = join(projectRoot, "node_modules/@biomejs/biome/bin/biome");
  const child = run(process.execPath, [biome, "format", "--stdin-file-path=report.d.ts"], { cwd: projectRoot });
  child.child.stdin?.end(text);
  return (await child).stdout;
}
