import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Document } from "yaml";
import { InvalidInputError } from "../errors.js";
import { refuse } from "../input/check.js";
import { LocalFileError } from "../internal/files/local-file-error.js";
import { readRegular } from "../internal/files/open-regular.js";
import { DockerConfig, maxConfigLength } from "../specs/credentials/docker-config.js";
import { type CredentialProvider, readProviderConfig, refuseDuplicates } from "../specs/credentials/provider-config.js";

/** The maximum number of copies that the aliases of a YAML file make. */
const maxAliases = 100;

/** A configuration file of Docker or Podman. */
export interface ConfigFile {
  readonly path: string;
  readonly config: DockerConfig;
}

/** A file to read. */
export interface Location {
  readonly path: string;
  /** Whether the caller or a variable names the file, so that it must exist. */
  readonly isRequired: boolean;
}

/** Reads configuration files of Docker and Podman, by default those of the user. @throws InvalidInputError */
export async function readConfigFiles(
  paths: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Promise<ConfigFile[]> {
  const groups = paths?.map((path) => [{ path, isRequired: true }]) ?? userFiles(env);
  const files = await Promise.all(groups.map(readFirst));
  return files.filter((file) => file !== undefined);
}

/** The files of a user. Of each group, the first file that exists is read. */
export function userFiles(env: NodeJS.ProcessEnv, uid = process.getuid?.() ?? 0): Location[][] {
  const home = env.HOME || env.USERPROFILE || homedir();
  const optional = (...parts: [string, ...string[]]) => ({ path: join(...parts), isRequired: false });
  const docker = env.DOCKER_CONFIG
    ? [optional(env.DOCKER_CONFIG, "config.json")]
    : [optional(home, ".docker", "config.json"), optional(home, ".dockercfg")];
  if (env.REGISTRY_AUTH_FILE) return [docker, [{ path: env.REGISTRY_AUTH_FILE, isRequired: true }]];
  const login = env.XDG_RUNTIME_DIR
    ? optional(env.XDG_RUNTIME_DIR, "containers", "auth.json")
    : optional("/run/containers", String(uid), "auth.json");
  return [docker, [login], [optional(env.XDG_CONFIG_HOME || join(home, ".config"), "containers", "auth.json")]];
}

async function readFirst(locations: readonly Location[]): Promise<ConfigFile | undefined> {
  for (const { path, isRequired } of locations) {
    const text = await readText(path, isRequired);
    if (text === undefined) continue;
    // Docker treats an empty file as one without entries.
    return { path, config: inFile(path, () => new DockerConfig(text.trim() === "" ? {} : text, "config")) };
  }
  return undefined;
}

/** Reads a kubelet's CredentialProviderConfig: a file, or all JSON and YAML files of a directory. @throws InvalidInputError */
export async function readProviderConfigs(path: string): Promise<CredentialProvider[]> {
  const { parseDocument } = await import("yaml");
  const providers: CredentialProvider[] = [];
  for (const file of await providerFiles(path)) {
    const text = (await readText(file, true)) ?? "";
    providers.push(
      ...inFile(file, () => {
        // The parser would compare every two keys, which takes seconds for a large file.
        const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
        const [error] = document.errors;
        if (error) refuse("config", `is neither YAML nor JSON (${error.code} at character ${error.pos[0]})`);
        return readProviderConfig(toObject(document), "config");
      }),
    );
  }
  inFile(path, () => refuseDuplicates(providers, "config.providers"));
  return providers;
}

/** Converts a YAML document. @throws InvalidInputError if its aliases would need too much memory */
function toObject(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch {
    return refuse("config", `has more than ${maxAliases} aliases, or nests them`);
  }
}

async function providerFiles(path: string): Promise<string[]> {
  try {
    const names = (await readdir(path)).filter((name) => /\.(json|yaml|yml)$/.test(name)).sort();
    if (names.length === 0) throw unreadable(path, "has no .json, .yaml or .yml file");
    return names.map((name) => join(path, name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOTDIR") return [path];
    throw cause instanceof InvalidInputError ? cause : unreadable(path, problemOf(path, cause), cause);
  }
}

/** Returns `undefined` if the file does not exist and is not required. */
async function readText(path: string, isRequired: boolean): Promise<string | undefined> {
  try {
    return (await readRegular(path, maxConfigLength)).toString("utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (!isRequired && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw unreadable(path, problemOf(path, cause), cause);
  }
}

function problemOf(path: string, cause: unknown): string {
  if (cause instanceof LocalFileError) return cause.reason;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT")
    return path.startsWith("~") ? "does not exist; write the home directory instead of ~" : "does not exist";
  return code === "EACCES" ? "is not readable for this user" : `cannot be read: ${code ?? String(cause)}`;
}

function unreadable(path: string, problem: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError({ field: path, message: problem, cause });
}

/** Adds the path of a file to the errors of its content. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError({ field: path, message: error.details });
  }
}
