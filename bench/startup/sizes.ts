/** The size of the published package and of installations. @module */

import { projectRoot } from "../../scripts/lib/buf.js";
import { run } from "../../test/runtime/lab/command.js";
import type { Bar, Chart } from "../support/chart.js";
import { show } from "../support/statistics.js";
import { installationOf, ownDependencies } from "./install-size.js";

/** The output of `npm pack`. */
export interface Packed {
  /** Size of the tarball in bytes. */
  size: number;
  /** Size of its files in bytes. */
  unpackedSize: number;
  entryCount: number;
}

/** Packs the package without writing a tarball. Requires `dist/`. */
export async function pack(): Promise<Packed> {
  const output = await run("npm", ["pack", "--json", "--dry-run", "--ignore-scripts"], { cwd: projectRoot });
  const [packed] = JSON.parse(output) as Packed[];
  if (!packed) throw new Error("npm packed nothing");
  return packed;
}

const peers: [name: string, packages: string[]][] = [
  ["nice-grpc, protobuf, long", ["nice-grpc", "@bufbuild/protobuf", "long"]],
  ["grpc-js, proto-loader", ["@grpc/grpc-js", "@grpc/proto-loader"]],
  ["Connect, protobuf-es", ["@connectrpc/connect-node", "@connectrpc/connect", "@bufbuild/protobuf"]],
];

/** Says what each dependency brings, with its own dependencies. Some of these are the same packages. */
export async function dependencySizes(): Promise<string> {
  const sizes = (await ownDependencies()).map(async (name) => ({ name, ...(await installationOf([name])) }));
  const sorted = (await Promise.all(sizes)).sort((a, b) => b.bytes - a.bytes);
  return sorted.map(({ name, bytes, packages }) => `${name} ${show(bytes / 1e6)} MB (${packages})`).join(", ");
}

export async function installSizes({ unpackedSize }: Packed): Promise<Chart> {
  const dependencies = await installationOf(await ownDependencies());
  const bar = (name: string, role: Bar["role"], packages: number, bytes: number, ownBytes: number): Bar => ({
    name: `${name} (${packages})`,
    role,
    figures: [bytes / 1e6, ownBytes / 1e6],
  });
  const ours = bar(
    "k8s-cri-client",
    "ours",
    dependencies.packages + 1,
    dependencies.bytes + unpackedSize,
    unpackedSize,
  );
  const others = peers.map(async ([name, names]) => {
    const { packages, bytes, ownBytes } = await installationOf(names);
    return bar(name, "peer", packages, bytes, ownBytes);
  });
  return {
    name: "installed files (packages)",
    unit: "MB",
    columns: ["with dependencies", "alone"],
    bars: [ours, ...(await Promise.all(others))],
  };
}
