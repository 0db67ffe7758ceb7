import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkOptions, checkSignal } from "../../input/call-options.js";
import { refuse } from "../../input/check.js";
import { LocalFileError } from "../../internal/files/local-file-error.js";
import { readRegular } from "../../internal/files/open-regular.js";
import { maxTextBytes } from "../../json/yaml/yaml-text.js";
import { createReader, type ReadManifestsOptions, readText } from "./read-manifests.js";
import type { ManifestReader, Manifests } from "./reader.js";

/** Options of {@link readManifestFiles}. */
export interface ReadManifestFilesOptions extends ReadManifestsOptions {
  /** Stops reading. */
  signal?: AbortSignal | undefined;
}

/** The most files of one call. */
const maxFiles = 1_000;

/**
 * Reads files with Kubernetes manifests. Like `kubectl apply -f`, it reads the `.yaml`, `.yml` and `.json` files of a directory in
 * the order of their names, without those of its subdirectories. Reads up to 1,000 files of at most 3 MiB.
 *
 * @param paths paths, or `file:` URLs, of files and directories
 * @throws InvalidManifestError with the faults of all files, also of those that cannot be read. See {@link readManifests}
 */
export async function readManifestFiles(
  paths: string | URL | readonly (string | URL)[],
  options: ReadManifestFilesOptions = {},
): Promise<Manifests> {
  checkOptions(options, { namespace: true, unknownKinds: true, signal: true });
  const { signal, ...readOptions } = options;
  checkSignal(signal, "signal");
  const reader = createReader(readOptions);
  let files = 0;
  for (const given of pathsOf(paths)) {
    for (const file of await filesAt(given, reader)) {
      signal?.throwIfAborted();
      if (++files > maxFiles) refuse("paths", `must be at most ${maxFiles} files`);
      await readFileInto(reader, file);
    }
  }
  return reader.finish();
}

function pathsOf(paths: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  if (list.length === 0) refuse("paths", "must name a file");
  return list.map((path, index) => {
    const field = Array.isArray(paths) ? `paths[${index}]` : "paths";
    if (path instanceof URL)
      return path.protocol === "file:" ? fileURLToPath(path) : refuse(field, "must be a file: URL");
    return typeof path === "string" && path !== "" ? path : refuse(field, "must be the path of a file or directory");
  });
}

/** Returns a file, or the files of a directory. */
async function filesAt(path: string, reader: ManifestReader): Promise<string[]> {
  try {
    const names = await readdir(path);
    const manifests = names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
    if (manifests.length === 0) reader.addTextFault("has no .yaml, .yml or .json files", path);
    return manifests.map((name) => join(path, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return [path];
    reader.addTextFault(unreadable(error), path);
    return [];
  }
}

async function readFileInto(reader: ManifestReader, file: string): Promise<void> {
  try {
    readText(reader, await readRegular(file, maxTextBytes), file);
  } catch (error) {
    reader.addTextFault(unreadable(error), file);
  }
}

function unreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  if (code === "ENOENT") return "does not exist";
  return error instanceof LocalFileError ? error.reason : `cannot be read: ${code}`;
}
