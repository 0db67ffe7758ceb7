/**
 * The entry points of the package.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { repository } from "../places.js";
import { exportsOf, sectionsOf } from "./sections.js";

export interface EntryPoint {
  /** The name that programs import: `k8s-cri-client/testing`. */
  readonly name: string;
  /** The folder of its pages below `api/`. */
  readonly folder: string;
  /** The path of its source. */
  readonly source: string;
  /** The names of its exports, except those of `export *`. */
  readonly exports: readonly string[];
  /** The names of its exports by section. Empty if the source has no sections. */
  readonly sections: ReadonlyMap<string, readonly string[]>;
}

/** The folder of `k8s-cri-client/testing` is `testing`, that of `k8s-cri-client` is `client`. */
export function folderOf(name: string): string {
  return name.split("/")[1] ?? "client";
}

/** The entry points in the order of package.json. */
export const entryPoints: readonly EntryPoint[] = Object.entries(manifest.exports).flatMap(([key, entry]) => {
  if (typeof entry === "string") return [];
  const name = key.replace(".", manifest.name);
  const source = join(repository, entry.require.types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts"));
  const text = readFileSync(source, "utf8");
  return { name, folder: folderOf(name), source, exports: exportsOf(text), sections: sectionsOf(text) };
});
