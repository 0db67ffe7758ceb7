/**
 * Archives a tree again and again, and prints as JSON what was in the archives and how often. A program of its own, so that a
 * blocked thread shows: it would not exit.
 *
 *     archive-rounds.ts TREE BY_DESCRIPTOR ROUNDS LIMIT_MS
 *
 * @module
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { InvalidInputError } from "../../../../../src/errors.js";
import { PathHandle } from "../../../../../src/internal/files/path-handle.js";
import { archive } from "../../../../../src/resources/sessions/copy/archive.js";

const [tree = "", byDescriptor, rounds, limitMs] = process.argv.slice(2);
const seen: Record<string, number> = {};
const saw = (what: string) => {
  seen[what] = (seen[what] ?? 0) + 1;
};

async function round(): Promise<void> {
  await using root = await PathHandle.open(tree, { follow: false, byDescriptor: byDescriptor === "true" });
  const entries = extract();
  const reading = (async () => {
    for await (const entry of entries) {
      let content = "";
      for await (const chunk of entry) content += chunk;
      saw(`${entry.header.type} ${entry.header.name} ${content}`.trim());
    }
  })();
  reading.catch(() => {}); // an archive that fails is reported by the pipeline
  await pipeline(Readable.from(archive({ root, name: ".", includeRoot: false })), entries);
  await reading;
}

for (let count = 0; count < Number(rounds) && performance.now() < Number(limitMs); count++) {
  try {
    await round();
    saw("round");
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    saw(error.details.replace(/, got .*$/, ""));
  }
}
console.log(JSON.stringify(seen));
