/**
 * Packs the package, installs it into new projects, and runs a program in each of them: with releases of Node.js, Bun and Deno,
 * compilers, bundlers, a framework and test runners. If every cell has the result that docs/support.md states, writes its tables.
 *
 *     npm run matrix
 *     npm run matrix -- --list
 *     npm run matrix -- --only node-24-esm --only typescript
 *
 * `--only NAME` runs the cells whose name begins with NAME, and writes nothing. Needs Linux on x64 or arm64, about 3 GB of disk space
 * in the temporary folder, and npm's registry. Removes everything at its end.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Cell } from "./cell.js";
import { groups } from "./matrix.js";
import { pagePath, withTables } from "./page.js";
import { Workspace } from "./workspace.js";

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, list: { type: "boolean" } },
});
const only = values.only ?? [""];
const cells = groups.flatMap((group) => group.cells).filter(({ name }) => only.some((start) => name.startsWith(start)));

/** Runs one cell. Returns the problem, if its result is not the one that the tables state. */
async function problemOf(cell: Cell, workspace: Workspace): Promise<string | undefined> {
  const folder = await workspace.folderFor(cell);
  try {
    await cell.run(folder);
  } catch (error) {
    const { message } = error as Error;
    if (!cell.limit?.error.test(message)) return message;
    return await cell.limit.instead?.(folder).then(
      () => undefined,
      (other: Error) => other.message,
    );
  }
  return cell.limit && `works, so remove the limit from the cell: ${cell.limit.note}`;
}

if (values.list) {
  for (const { name } of cells) console.log(name);
} else if (cells.length === 0) {
  console.error(`No cell has a name that begins with ${only.join(" or ")}. npm run matrix -- --list shows all names.`);
  process.exitCode = 1;
} else {
  await using workspace = await Workspace.open();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      workspace.removeNow();
      process.exit(1);
    });
  }
  let failures = 0;
  for (const cell of cells) {
    const started = performance.now();
    const problem = await problemOf(cell, workspace);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    if (problem !== undefined) failures++;
    console.log(`${problem === undefined ? (cell.limit?.status ?? "ok") : "FAILED"}  ${cell.name} (${seconds} s)`);
    if (problem !== undefined) console.log(problem.trim().replace(/^/gm, "    "));
  }
  console.log(`${cells.length - failures} as expected, ${failures} failed`);
  if (failures > 0) process.exitCode = 1;
  else if (values.only === undefined) {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(pagePath, withTables(readFileSync(pagePath, "utf8"), date));
    console.log(`Wrote the tables of ${pagePath}`);
  }
}
