import { createRequire } from "node:module";

/** Returns the version of this package. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("k8s-cri-client/package.json") as { version: string };
  return version;
}
