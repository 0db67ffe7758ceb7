/**
 * Downloads Debian packages of any suite with the machine's apt-get and unpacks them into the cache folder. Installs nothing.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "./cache.js";
import { CommandError, run } from "./command.js";
import { withLock } from "./lock.js";

export type Suite = "bookworm" | "trixie" | "trixie-backports" | "forky" | "sid";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const attempts = 4;

/**
 * Unpacks the packages, without their dependencies, and returns the folder that corresponds to `/`.
 *
 * The first call for a set of packages downloads them. Later calls return the existing folder. The folder is created in one step,
 * so it is complete even if an earlier process was killed.
 */
export async function fetchPackages(suite: Suite, packages: readonly string[]): Promise<string> {
  const names = [...new Set(packages)].sort();
  return await unpackedOnce(suite, names, names.join(" "));
}

/**
 * Unpacks the packages and everything that they depend on, as {@link fetchPackages} does.
 *
 * @param omitted - dependencies that are not needed, or that the machine itself must provide, such as `libc6`
 */
export async function fetchWithDependencies(
  suite: Suite,
  packages: readonly string[],
  omitted: readonly string[],
): Promise<string> {
  const names = [...new Set(packages)].sort();
  const key = `${names.join(" ")} with dependencies, without ${[...omitted].sort().join(" ")}`;
  return await unpackedOnce(suite, names, key, omitted);
}

/**
 * Unpacks the original sources of a source package, without Debian's changes, and returns their folder. Like the folder of
 * {@link fetchPackages}, it is created once, in one step.
 */
export async function fetchSource(suite: Suite, name: string): Promise<string> {
  return await createdOnce(suite, `source ${name}`, async (work) => {
    await retried(`the sources of ${name} of Debian ${suite}`, async () => {
      const options = await aptOptions(suite, work);
      await run("apt-get", [...options, "-q", "update"]);
      await run("apt-get", [...options, "-q", "--download-only", "source", name], { cwd: work, timeoutMs: 600_000 });
    });
    const archive = (await readdir(work)).find((file) => file.startsWith(`${name}_`) && file.includes(".orig.tar"));
    if (archive === undefined) throw new Error(`the source package ${name} of ${suite} has no original archive`);
    const draft = join(work, "root");
    await mkdir(draft);
    await run("tar", ["xf", join(work, archive), "-C", draft, "--strip-components=1"]);
    return draft;
  });
}

/** Returns the version of a package that {@link fetchPackages} unpacked, for example `1.7.24~ds1-6+deb13u1`. */
export async function packageVersion(suite: Suite, name: string): Promise<string> {
  const file = await cachedPackage(join(cacheFolder(), "debian", suite, "packages"), name);
  if (file === undefined) throw new Error(`the package ${name} of ${suite} has not been downloaded`);
  return decodeURIComponent(file.split("_")[1] ?? "").replace(/^\d+:/, "");
}

/** Returns the URL of the Debian archive that this machine uses, or `undefined` if it uses none. */
export async function debianArchive(): Promise<string | undefined> {
  const chosen = process.env.CRI_LAB_DEBIAN_ARCHIVE;
  if (chosen) return chosen;
  const indexTargets = await run("apt-get", ["indextargets", "--format", "$(SITE)", "Origin: Debian", "Label: Debian"]);
  const site = indexTargets.split("\n")[0]?.trim();
  if (site) return site;
  // There are no index targets before the first `apt-get update`, but apt-get can print what that would download. The regular
  // expression matches the archive with the suites, not that with the security updates.
  const planned = await run("apt-get", ["--print-uris", "update"]);
  return /^'(\S+?)\/dists\/(?:bookworm|trixie|forky|testing|stable|oldstable|sid)\/(?:InRelease|main)/m.exec(
    planned,
  )?.[1];
}

async function unpackedOnce(
  suite: Suite,
  names: readonly string[],
  key: string,
  omitted?: readonly string[],
): Promise<string> {
  return await createdOnce(suite, key, async (work) => {
    const store = join(cacheFolder(), "debian", suite, "packages");
    await mkdir(store, { recursive: true });
    const complete = omitted === undefined && (await missingFrom(store, names)).length === 0;
    const all = complete ? names : await download(suite, names, work, store, omitted);
    const draft = join(work, "root");
    for (const name of all) {
      const file = await cachedPackage(store, name);
      if (file === undefined) throw new Error(`apt-get did not download the package ${name} of ${suite}`);
      await run("dpkg-deb", ["-x", join(store, file), draft]);
    }
    return draft;
  });
}

/** Returns the folder of a key. If it does not exist, `create` makes it in a work folder, and it is renamed when complete. */
async function createdOnce(suite: Suite, key: string, create: (work: string) => Promise<string>): Promise<string> {
  const suiteFolder = join(cacheFolder(), "debian", suite);
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 12);
  const root = join(suiteFolder, `root-${digest}`);
  if (existsSync(root)) return root;
  return await withLock(suiteFolder, async () => {
    if (existsSync(root)) return root;
    await mkdir(suiteFolder, { recursive: true });
    await removeLeftovers(suiteFolder);
    const work = await mkdtemp(join(suiteFolder, "work-"));
    try {
      await rename(await create(work), root);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return root;
  });
}

/** Removes the work folders of killed processes. The caller holds the suite's lock, so no process uses them. */
async function removeLeftovers(suiteFolder: string): Promise<void> {
  for (const entry of await readdir(suiteFolder)) {
    if (entry.startsWith("work-")) await rm(join(suiteFolder, entry), { recursive: true, force: true });
  }
}

async function cachedPackage(store: string, name: string): Promise<string | undefined> {
  if (!existsSync(store)) return undefined;
  return (await readdir(store)).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
}

async function missingFrom(store: string, names: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const name of names) if ((await cachedPackage(store, name)) === undefined) missing.push(name);
  return missing;
}

/** Downloads the packages that the store lacks. Returns the names of all packages, with their dependencies if wanted. */
async function download(
  suite: Suite,
  names: readonly string[],
  work: string,
  store: string,
  omitted?: readonly string[],
): Promise<readonly string[]> {
  const downloads = join(work, "downloads");
  await mkdir(downloads);
  const all = await retried(`${names.join(", ")} of Debian ${suite}`, async () => {
    const options = await aptOptions(suite, work);
    await run("apt-get", [...options, "-q", "update"]);
    const all = omitted === undefined ? names : await withDependencies(names, omitted, options);
    const missing = await missingFrom(store, all);
    if (missing.length > 0)
      await run("apt-get", [...options, "-q", "download", ...missing], { cwd: downloads, timeoutMs: 600_000 });
    return all;
  });
  for (const file of await readdir(downloads)) await rename(join(downloads, file), join(store, file));
  return all;
}

/** Repeats a download that fails, unless the archive does not have the package. */
async function retried<T>(what: string, download: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await download();
    } catch (error) {
      const output = error instanceof CommandError ? error.output : String(error);
      if (attempt === attempts || /Unable to (?:locate package|find a source package)/.test(output)) {
        throw new Error(`could not download ${what} (attempt ${attempt}); output of apt-get:\n${output}`, {
          cause: error,
        });
      }
      await sleep(1000 * 2 ** attempt);
    }
  }
}

/** Asks apt-get what it would install on a machine without any packages. */
async function withDependencies(
  names: readonly string[],
  omitted: readonly string[],
  options: readonly string[],
): Promise<string[]> {
  const plan = await run("apt-get", [...options, "--simulate", "--no-install-recommends", "install", ...names]);
  const all = Array.from(plan.matchAll(/^Inst (\S+)/gm), (match) => match[1] ?? "");
  return all.filter((name) => !omitted.includes(name));
}

/** Returns options that make apt-get use one suite and separate folders, and ignore the packages installed on the machine. */
async function aptOptions(suite: Suite, work: string): Promise<string[]> {
  const archive = await debianArchive();
  if (archive === undefined)
    throw new Error("apt on this machine has no Debian archive in its configuration; set CRI_LAB_DEBIAN_ARCHIVE");
  const lists = join(work, "lists");
  const cache = join(work, "cache");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  const sources = join(work, "archive.sources");
  await writeFile(
    sources,
    [
      "Types: deb deb-src",
      `URIs: ${archive}`,
      `Suites: ${suite}`,
      "Components: main",
      ...(existsSync(keyring) ? [`Signed-By: ${keyring}`] : []),
      "",
    ].join("\n"),
  );
  // Adds to the machine's configuration, for example its proxies, but disables its hooks.
  const configuration = join(work, "apt.conf");
  const hooks = ["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"].map((hook) => `#clear APT::Update::${hook};\n`);
  await writeFile(configuration, hooks.join(""));
  const settings: Record<string, string> = {
    "Dir::Etc::SourceList": sources,
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "Dir::State": work,
    "Dir::State::Lists": lists,
    "Dir::State::status": "/dev/null",
    "Dir::Cache": cache,
    // The user _apt may have no access to the cache folder.
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Acquire::http::Timeout": "30",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
  };
  return ["-c", configuration, ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}
