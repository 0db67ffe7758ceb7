import { readdir, stat } from "node:fs/promises";
import { readRegular } from "../../internal/files/open-regular.js";
import { isRecord } from "../../internal/record.js";
import { cniDirectoriesIn } from "../../specs/runtime-info.js";
import type { Subject } from "../subject.js";

/** The directories of CNI that runtimes use by default. */
const defaultDirectory = "/etc/cni/net.d";
const defaultPluginDirectories = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"] as const;

/** The largest network configuration to read, in bytes. */
const maxBytes = 1024 * 1024;

/** The network configuration of a node. Paths are those of the node. */
export interface CniState {
  readonly directory: string;
  /** The names of the configuration files, in the order in which runtimes read them. */
  readonly files: readonly string[];
  readonly pluginDirectories: readonly string[];
  /** The plugins that the first valid file needs, and that are in none of the directories. */
  readonly missing: readonly string[];
  /** Files that cannot be read or parsed, with the reason. */
  readonly invalid: readonly string[];
}

/** Examines the network configuration where the runtime says that it is, or where it is by default. */
export async function examineCni(subject: Subject): Promise<CniState> {
  const { configuration, plugins } = cniDirectoriesIn(subject.status.info);
  const directory = configuration[0] ?? defaultDirectory;
  const pluginDirectories = plugins.length > 0 ? plugins : defaultPluginDirectories;
  const names = await readdir(await subject.onNode(directory)).catch(() => []);
  const files = names.filter((name) => /\.(conf|conflist|json)$/.test(name)).sort();
  const invalid: string[] = [];
  for (const file of files) {
    const types = await pluginsOf(await subject.onNode(`${directory}/${file}`));
    if (typeof types === "string") {
      invalid.push(`${directory}/${file} ${types}`);
      continue;
    }
    const missing: string[] = [];
    for (const type of types) if (!(await isInstalled(type, pluginDirectories, subject))) missing.push(type);
    return { directory, files, pluginDirectories, missing, invalid };
  }
  return { directory, files, pluginDirectories, missing: [], invalid };
}

/** Returns the programs that a configuration names, or why there are none. */
async function pluginsOf(path: string): Promise<string[] | string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse((await readRegular(path, maxBytes)).toString("utf8"));
  } catch (error) {
    return error instanceof SyntaxError ? "is not JSON" : `cannot be read: ${(error as NodeJS.ErrnoException).code}`;
  }
  const list = isRecord(parsed) && Array.isArray(parsed.plugins) ? parsed.plugins : [parsed];
  const types = list.flatMap((plugin) =>
    isRecord(plugin) ? [plugin.type, isRecord(plugin.ipam) && plugin.ipam.type] : [],
  );
  const names = types.filter((type): type is string => typeof type === "string" && /^[\w.-]+$/.test(type));
  return names.length === 0 ? "names no plugin" : [...new Set(names)];
}

async function isInstalled(name: string, directories: readonly string[], subject: Subject): Promise<boolean> {
  for (const directory of directories) {
    const found = await stat(await subject.onNode(`${directory}/${name}`)).catch(() => undefined);
    if (found?.isFile()) return true;
  }
  return false;
}
