/**
 * The binaries of JavaScript runtimes. They come from packages for one platform, because the packages that users install put the
 * binary in place with an install script.
 *
 * @module
 */
import { versions } from "./versions.js";

export type NodeMajor = keyof typeof versions.node;

/** The release of Node.js that runs compilers, bundlers and test runners: an LTS release. */
export const toolNode: NodeMajor = "24";

const arm = process.arch === "arm64";
const bunPackage = `@oven/bun-linux-${arm ? "aarch64" : "x64"}`;
const denoPackage = `@deno/linux-${process.arch}-glibc`;

/** Returns the path of a release of Node.js in `node_modules`. */
export const nodeBinary = (major: NodeMajor) => `node-${major}/bin/node`;
export const bunBinary = `${bunPackage}/bin/bun`;
export const denoBinary = `${denoPackage}/deno`;

/** The packages to install, by name. Fails on a platform without them. */
export function binaryPackages(): Record<string, string> {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new Error(`the matrix needs Linux on x64 or arm64, and this is ${process.platform} on ${process.arch}`);
  }
  const nodes = Object.entries(versions.node).map(([major, version]) => [
    `node-${major}`,
    `npm:node-linux-${process.arch}@${version}`,
  ]);
  return { ...Object.fromEntries(nodes), [bunPackage]: versions.bun, [denoPackage]: versions.deno };
}
