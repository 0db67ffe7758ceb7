/**
 * Archives a tree repeatedly, and prints as JSON which entries the archives had and how often. It is a separate program, because a
 * blocked thread would keep it from exiting.
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
const count = (what: string) => {
  seen[what] = (seen[what] ?? 0) + 1;
};

async function round(): Promise<void> {
  await using root = await PathHandle.open(tree, { follow: false, byDescriptor: byDescriptor === "true" });
  const entries = extract();
  const reading = (async () => {
    for await (const entry of entries) {
      let content = "";
      for await (const chunk of entry) content += chunk;
      count(`${entry.header.type} ${entry.header.name} ${content}`.trim());
    }
  })();
  reading.catch(() => {}); // the pipeline reports the error of an archive
  await pipeline(Readable.from(archive({ root, name: ".", includeRoot: false })), entries);
  await reading;
}

// The limit does not include loading this program, which takes seconds on a busy machine. One round must succeed in any case.
const endAt = performance.now() + Number(limitMs);
for (let index = 0; index < Number(rounds) && (performance.now() < endAt || seen.round === undefined); index++) {
  try {
    await round();
    count("round");
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    count(error.details.replace(/, got .*$/, ""));
  }
}
console.log(JSON.stringify(seen));
