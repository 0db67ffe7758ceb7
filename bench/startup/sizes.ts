/** The package as it is published, and installed beside others. @module */

import { projectRoot } from "../../scripts/lib/buf.js";
import { run } from "../../test/runtime/lab/command.js";
import type { Bar, Chart } from "../support/chart.js";
import { installationOf, ownDependencies } from "./install-size.js";

/** What `npm pack` says of it. */
export interface Packed {
  /** Bytes of the tarball. */
  size: number;
  /** Bytes of the files in it. */
  unpackedSize: number;
  entryCount: number;
}

/** `dist/` has to be there. */
export async function pack(): Promise<Packed> {
  const said = await run("npm", ["pack", "--json", "--dry-run", "--ignore-scripts"], { cwd: projectRoot });
  const [packed] = JSON.parse(said) as Packed[];
  if (!packed) throw new Error("npm has packed nothing.");
  return packed;
}

const peers: [name: string, packages: string[]][] = [
  ["nice-grpc, protobuf, long", ["nice-grpc", "@bufbuild/protobuf", "long"]],
  ["grpc-js, proto-loader", ["@grpc/grpc-js", "@grpc/proto-loader"]],
  ["Connect, protobuf-es", ["@connectrpc/connect-node", "@connectrpc/connect", "@bufbuild/protobuf"]],
];

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
