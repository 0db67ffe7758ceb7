/**
 * The versions of containerd there are, and where the programs of a lab are found.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fetchPackages, type Suite } from "./debian.js";

/** The versions there are, each with the Debian suite it comes from and the format of its configuration. */
export const releases = {
  "1.6": { suite: "bookworm", format: 2 },
  "1.7": { suite: "trixie", format: 2 },
  "2.1": { suite: "forky", format: 3 },
} as const satisfies Record<string, { suite: Suite; format: 2 | 3 }>;

export type LabVersion = keyof typeof releases;
export const labVersions = Object.keys(releases) as LabVersion[];

/** Reads a list such as `1.7,2.1`. */
export function parseVersions(list: string): LabVersion[] {
  return list.split(",").map((version) => {
    const known = labVersions.find((candidate) => candidate === version);
    if (known === undefined)
      throw new Error(`There is no version ${version} in the lab, only ${labVersions.join(", ")}.`);
    return known;
  });
}

/** What all versions share, from bookworm: later suites' runc does not run on Debian 12. */
const commonPackages = [
  "busybox-static",
  "containernetworking-plugins",
  "docker-registry",
  // A library of runc's that a small machine may lack.
  "libseccomp2",
  "runc",
  "tini",
];

export interface Programs {
  busybox: string;
  tini: string;
  registry: string;
  cniFolder: string;
  libraries: string[];
  runc: string;
  handlers: Map<string, string>;
  containerd: Record<LabVersion, string>;
}

/** Fetches what is not in the cache yet. */
export async function fetchPrograms(versions: readonly LabVersion[]): Promise<Programs> {
  // Containerd of bookworm always comes along: one set of packages means one download.
  const [bookworm = "", ...others] = await Promise.all([
    fetchPackages("bookworm", [...commonPackages, "containerd"]),
    ...versions.filter((version) => version !== "1.6").map(rootOf),
  ]);
  async function rootOf(version: LabVersion): Promise<string> {
    return await fetchPackages(releases[version].suite, ["containerd"]);
  }
  const roots = { "1.6": bookworm } as Record<LabVersion, string>;
  for (const version of versions.filter((version) => version !== "1.6")) roots[version] = others.shift() ?? "";
  const runc = join(bookworm, "usr/sbin/runc");
  return {
    busybox: join(bookworm, "bin/busybox"),
    tini: join(bookworm, "usr/bin/tini-static"),
    registry: join(bookworm, "usr/bin/docker-registry"),
    cniFolder: join(bookworm, "usr/lib/cni"),
    libraries: (await readdir(join(bookworm, "usr/lib")))
      .filter((name) => name.includes("-linux-gnu"))
      .map((name) => join(bookworm, "usr/lib", name)),
    runc,
    // The same program twice: bookworm's crun is too old for containerd 1.7, and newer ones do not run on Debian 12.
    handlers: new Map([
      ["runc", runc],
      ["alternative", runc],
    ]),
    containerd: roots,
  };
}

/** Fetches all that a lab needs from the network; resolves with the path of a busybox, of use to tests. */
export async function prepareLab(versions: readonly LabVersion[] = labVersions): Promise<{ busybox: string }> {
  const { busybox } = await fetchPrograms(versions);
  return { busybox };
}
