/**
 * Measures copies of files into and out of a container.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { labAvailability, parseVersions } from "../../test/runtime/lab/lab.js";
import { barsOf, type Chart } from "../support/chart.js";
import { interleave, type Role } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median } from "../support/statistics.js";
import { type Copier, type Cost, Kubectl, Ours } from "./copiers.js";
import { Stage } from "./stage.js";
import { sumOf } from "./tree.js";

export const help = `Measures copies into and out of a container on a containerd of the lab (Linux, root, apt).

Usage: npm run bench -- copy [options]

  --files <n>         number of small files, of 1 KiB each; default 10000
  --mib <n>           size of the large file; default 1024
  --rounds <n>        copies of each kind; default 5
  --containerd <v>    1.6, 1.7 or 2.1; default 2.1
  --only <text>       measures only charts whose name contains the text
  --no-go             does not build the Go client; the first build takes minutes and needs the network

The files are in memory (/dev/shm) where there is enough space. After each copy, the benchmark compares all names and contents.`;

export async function page(args: string[]): Promise<Report> {
  const defaults = { files: 10_000, mib: 1_024, rounds: 5, containerd: "2.1", only: "", "no-go": false };
  const { files, mib, rounds, only, ...options } = parseOptions(args, defaults);
  const title = "Copying files";
  const availability = labAvailability();
  if (!availability.available) {
    const warnings = [`Left out: no containerd can be started on this machine, ${availability.reason}.`];
    return { title, about: "Copies into and out of a container.", warnings, sections: [] };
  }
  const warnings: string[] = [];
  const [version = "2.1"] = parseVersions(options.containerd);
  await using stage = await Stage.open(version, { files, mib });
  await using ours = await Ours.start(stage);
  const clients: Client[] = [{ name: "k8s-cri-client", role: "ours", copier: ours }];
  const kubectl = options["no-go"] ? undefined : await Kubectl.build(stage).catch((error: Error) => error);
  if (kubectl === undefined) warnings.push("--no-go leaves out kubectl cp's way.");
  else if (kubectl instanceof Error) warnings.push(`kubectl cp's way is left out: ${kubectl.message}`);
  else clients.push({ name: "kubectl cp's way (client-go)", role: "peer", copier: kubectl });
  const charts: Chart[] = [];
  for (const [what, name] of [
    [`${files} files of 1 KiB`, "small"],
    [`a file of ${mib} MiB`, "large"],
  ] as const) {
    const sum = sumOf(stage.local(name));
    for (const direction of ["to", "from"] as const) {
      const chart = `${what}, ${direction} the container`;
      if (!chart.includes(only)) continue;
      const contestants = clients.map(({ copier, ...client }) => ({
        ...client,
        run: () => copy(stage, copier, direction, name, sum),
      }));
      await interleave(contestants, 1); // compiles the code
      const scores = await interleave(contestants, rounds);
      warnings.push(...failuresOf(chart, scores));
      const figures = (results: readonly Cost[]): [number, number] => [
        median(results.map(({ seconds }) => seconds)),
        median(results.map(({ cpuSeconds }) => cpuSeconds)),
      ];
      charts.push({ name: chart, unit: "s", columns: ["p50", "CPU"], bars: barsOf(scores, figures) });
    }
  }
  const about =
    `${stage.runtime}, with one container. A copy of kubectl cp is Go's archive/tar over client-go's exec over SPDY, as in kubectl, but straight to the runtime, in a new process for each copy, whose start does not count. This package copies in one process. ` +
    `Each client copies in each of ${rounds} rounds, after one round of warm-up. CPU is the time of the client alone.`;
  return { title, about, warnings, sections: [{ ...section, charts }] };
}

const section = {
  id: "copy",
  title: "Into and out of a container",
  about:
    "`container.copyTo` and `container.copyFrom`. Both keep modes and times, which kubectl cp does not, and `copyFrom` shows the copy only when it is complete.",
};

interface Client {
  name: string;
  role: Role;
  copier: Copier;
}

/** Copies once, and checks and removes the copy. */
async function copy(stage: Stage, copier: Copier, direction: "to" | "from", name: string, sum: string): Promise<Cost> {
  const newName = stage.newName();
  const target = direction === "to" ? stage.local(newName) : stage.newPath();
  try {
    const cost = await (direction === "to" ? copier.copyTo(stage.local(name), newName) : copier.copyFrom(name, target));
    if (sumOf(target) !== sum) throw new Error("the copy has other names or contents");
    return cost;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
