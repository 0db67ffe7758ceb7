/**
 * The supported versions of containerd, and the programs of the lab.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fetchPackages, type Suite } from "./debian.js";

/** The supported versions, with the Debian suite of their package and the version of their configuration format. */
export const releases = {
  "1.6": { suite: "bookworm", format: 2 },
  "1.7": { suite: "trixie", format: 2 },
  "2.1": { suite: "forky", format: 3 },
} as const satisfies Record<string, { suite: Suite; format: 2 | 3 }>;

export type LabVersion = keyof typeof releases;
export const labVersions = Object.keys(releases) as LabVersion[];

/** Parses a list of versions, for example `1.7,2.1`. Throws for an unknown version. */
export function parseVersions(list: string): LabVersion[] {
  return list.split(",").map((version) => {
    const known = labVersions.find((candidate) => candidate === version);
    if (known === undefined) throw new Error(`unknown version "${version}"; the lab has ${labVersions.join(", ")}`);
    return known;
  });
}

/** The packages that all versions share. They are from bookworm, because runc of later suites does not run on Debian 12. */
const commonPackages = [
  "busybox-static",
  "containernetworking-plugins",
  "docker-registry",
  // runc needs this library, which a small machine may not have.
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

/** Downloads the programs that are not in the cache. */
export async function fetchPrograms(versions: readonly LabVersion[]): Promise<Programs> {
  // Always includes containerd of bookworm, so that there is only one set of packages to download.
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
    // Both handlers use runc, because crun of bookworm is too old for containerd 1.7, and newer ones do not run on Debian 12.
    handlers: new Map([
      ["runc", runc],
      ["alternative", runc],
    ]),
    containerd: roots,
  };
}

/** Downloads all programs of the lab. Returns the path of busybox, which tests use. */
export async function prepareLab(versions: readonly LabVersion[] = labVersions): Promise<{ busybox: string }> {
  const { busybox } = await fetchPrograms(versions);
  return { busybox };
}
