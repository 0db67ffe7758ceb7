/**
 * docs/conformance.md, made of the table of known differences and of what is counted when the journeys are collected.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type ConformingFlavor, conformingFlavors, usualFlavors } from "./flavors.js";
import { type KnownDifference, knownDifferences, otherFiles } from "./known-differences.js";

export const pagePath = fileURLToPath(new URL("../../docs/conformance.md", import.meta.url));

/** How many journeys of a file come out the same. */
export interface FileCounts {
  file: string;
  byFlavor: Record<ConformingFlavor, { agreeing: number; all: number }>;
}

/** What the page says of one file. */
export function rowOf({ file, byFlavor }: FileCounts): string {
  const cells = conformingFlavors.map((flavor) => cellOf(byFlavor[flavor]));
  const usual = usualFlavors(file).length === conformingFlavors.length ? "all" : usualFlavors(file).join(", ");
  return row(`[${file}](../test/runtime/${file}.test.ts)`, ...cells, usual);
}

/** Reads rows back from a page. */
export function rowsIn(page: string): FileCounts[] {
  return [...page.matchAll(/^\| \[([\w-]+)\]\(\.\.\/test\/runtime\/.*$/gm)].map(([line, file]) => {
    const numbers = [...line.matchAll(/(\d+) of (\d+)/g)].map(([, agreeing, all]) => ({
      agreeing: Number(agreeing),
      all: Number(all),
    }));
    const byFlavor = Object.fromEntries(conformingFlavors.map((flavor, index) => [flavor, numbers[index]]));
    return { file: file as string, byFlavor: byFlavor as FileCounts["byFlavor"] };
  });
}

/** The whole page. */
export function pageOf(counts: readonly FileCounts[]): string {
  const sorted = [...counts].sort((a, b) => a.file.localeCompare(b.file));
  const total = conformingFlavors.map((flavor) =>
    cellOf(
      sorted.reduce(
        (sum, { byFlavor }) => ({
          agreeing: sum.agreeing + byFlavor[flavor].agreeing,
          all: sum.all + byFlavor[flavor].all,
        }),
        { agreeing: 0, all: 0 },
      ),
    ),
  );
  return `<!-- Made by \`npm run conformance:page\`; test/conformance has the table of differences and the words. -->

# How far FakeRuntime is like a real runtime

The journeys of \`test/runtime\` are written for real runtimes. They ask \`test/runtime/helpers/traits.ts\` for what CRI-O and Docker do
otherwise than containerd. The very same files run against \`FakeRuntime\`, with containers that are
processes of the machine (\`HostProcessBackend\`), and must come out the same: \`npx vitest run --project conformance\`, which is part of
\`npm test\` and needs Linux, but neither root nor a runtime. What comes out otherwise is listed below, with the reason.

The list is kept true by the run itself. A journey that is listed as failing has to fail, with the words that are known: once a fake has
learned it, the run fails until the journey is off the list. So it does when a name on the list fits no journey, and when this page does
not say what was counted.

## Journeys that agree

Five flavours times all journeys take longer than each run should. So each run takes every file on \`containerd-2\`, and on the other
flavours the files in which they differ from it; \`CRI_TEST_THOROUGH=1\` runs everything. The test suite itself starts real containerds only.
Most of the journeys also ran by hand on CRI-O 1.37 and on Docker 26.1 behind cri-dockerd.

${table(["journeys of", ...conformingFlavors, "in each run"], sorted.map(rowOf), row("all", ...total, ""))}

## Known differences

"Fails" means that it is run and has to fail. "Not run" are journeys whose commands would look at or change the machine that the tests
run on, or wait for what it does not have.

${table(["file", "journey", "flavours", "", "why"], knownDifferences.flatMap(differenceRows))}

Other files in \`test/runtime\` are no journeys of a fake:

${Object.entries(otherFiles)
  .map(([file, why]) => `- \`${file}\`: ${why}`)
  .join("\n")}

## What is behind it

The fakes are in a process of their own, one of each flavour for each worker, and take orders to stop, to die and to start over a socket,
as the lab's runtimes do. Their commands can do what the user who runs the tests can. As root, where Linux grants namespaces, they see a
file system that is read-only except for one folder, and no processes but their own; where it does not, and for other users, the list
above is all that keeps them from harm. So a journey keeps to a folder that it shares with its container (\`folder().inside\`), or is put on
the list.
`;
}

function differenceRows({ file, tests, flavors, outcome, why }: KnownDifference): string[] {
  return tests.map((test) =>
    row(
      file,
      typeof test === "string" ? test : describe(test),
      flavors?.join(", ") ?? "all",
      outcome === "notRun" ? "not run" : "fails",
      why,
    ),
  );
}

/** A pattern as somebody reads it: the words it looks for, and dots where it allows for anything. */
function describe({ source }: RegExp): string {
  if (source === ".") return "all of them";
  const words = source.replace(/^\^|\$$/g, "").trim();
  return `${source.startsWith("^") ? "" : "… "}${words}${source.endsWith("$") ? "" : " …"}`;
}

function cellOf({ agreeing, all }: { agreeing: number; all: number }): string {
  return `${agreeing} of ${all}`;
}

function table(head: readonly string[], rows: readonly string[], ...more: readonly string[]): string {
  return [row(...head), `|${"---|".repeat(head.length)}`, ...rows, ...more].join("\n");
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
