/**
 * Programs from Debian packages, without installing anything: packages of any suite are downloaded with the machine's own
 * apt-get and unpacked into the cache folder.
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

export type Suite = "bookworm" | "trixie" | "trixie-backports" | "forky";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const attempts = 4;

/**
 * Makes sure that the packages (without their dependencies) are unpacked, and resolves with the folder that stands for `/`.
 *
 * The first call for a set of packages downloads them; every later one only looks whether the folder is there. The folder
 * appears complete or not at all, whatever happens to the process in between.
 */
export async function fetchPackages(suite: Suite, packages: readonly string[]): Promise<string> {
  const names = [...new Set(packages)].sort();
  const suiteFolder = join(cacheFolder(), "debian", suite);
  const digest = createHash("sha256").update(names.join(" ")).digest("hex").slice(0, 12);
  const root = join(suiteFolder, `root-${digest}`);
  if (existsSync(root)) return root;
  return await withLock(suiteFolder, async () => {
    if (!existsSync(root)) await unpackInto(root, suite, names, suiteFolder);
    return root;
  });
}

/** The version of a package that {@link fetchPackages} unpacked, e.g. `1.7.24~ds1-6+deb13u1`. */
export async function packageVersion(suite: Suite, name: string): Promise<string> {
  const file = await cachedPackage(join(cacheFolder(), "debian", suite, "packages"), name);
  if (file === undefined) throw new Error(`The package ${name} of ${suite} has not been fetched.`);
  return decodeURIComponent(file.split("_")[1] ?? "").replace(/^\d+:/, "");
}

/** The address of the Debian archive this machine uses, or `undefined` on a machine that uses none. */
export async function debianArchive(): Promise<string | undefined> {
  const chosen = process.env.CRI_LAB_DEBIAN_ARCHIVE;
  if (chosen) return chosen;
  const known = await run("apt-get", ["indextargets", "--format", "$(SITE)", "Origin: Debian", "Label: Debian"]);
  const site = known.split("\n")[0]?.trim();
  if (site) return site;
  // Before the machine's first `apt-get update` there are no index targets. What that update would fetch is known without
  // the network: the archive that holds the suites themselves is the one sought, not those of the security updates.
  const planned = await run("apt-get", ["--print-uris", "update"]);
  return /^'(\S+?)\/dists\/(?:bookworm|trixie|forky|testing|stable|oldstable|sid)\/(?:InRelease|main)/m.exec(
    planned,
  )?.[1];
}

async function unpackInto(root: string, suite: Suite, names: readonly string[], suiteFolder: string): Promise<void> {
  const store = join(suiteFolder, "packages");
  await mkdir(store, { recursive: true });
  await removeLeftovers(suiteFolder);
  const work = await mkdtemp(join(suiteFolder, "work-"));
  try {
    const missing: string[] = [];
    for (const name of names) if ((await cachedPackage(store, name)) === undefined) missing.push(name);
    if (missing.length > 0) await download(suite, missing, work, store);
    const draft = join(work, "root");
    for (const name of names) {
      const file = await cachedPackage(store, name);
      if (file === undefined) throw new Error(`apt-get downloaded no package named ${name} from ${suite}.`);
      await run("dpkg-deb", ["-x", join(store, file), draft]);
    }
    await rename(draft, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Removes the work folders of processes that died: the caller holds the suite's lock, so nobody is using one. */
async function removeLeftovers(suiteFolder: string): Promise<void> {
  for (const entry of await readdir(suiteFolder)) {
    if (entry.startsWith("work-")) await rm(join(suiteFolder, entry), { recursive: true, force: true });
  }
}

async function cachedPackage(store: string, name: string): Promise<string | undefined> {
  if (!existsSync(store)) return undefined;
  return (await readdir(store)).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
}

async function download(suite: Suite, names: readonly string[], work: string, store: string): Promise<void> {
  const archive = await debianArchive();
  if (archive === undefined) throw new Error("apt's configuration on this machine names no Debian archive.");
  const options = await aptOptions(suite, archive, work);
  const arrivals = join(work, "arrivals");
  await mkdir(arrivals);
  for (let attempt = 1; ; attempt++) {
    try {
      await run("apt-get", [...options, "-q", "update"]);
      await run("apt-get", [...options, "-q", "download", ...names], { cwd: arrivals, timeoutMs: 600_000 });
      break;
    } catch (error) {
      const words = error instanceof CommandError ? error.output : String(error);
      if (attempt === attempts || words.includes("Unable to locate package")) {
        throw new Error(
          `Could not download ${names.join(", ")} of Debian ${suite} (attempt ${attempt}). apt-get said:\n${words}`,
          { cause: error },
        );
      }
      await sleep(1000 * 2 ** attempt);
    }
  }
  for (const file of await readdir(arrivals)) await rename(join(arrivals, file), join(store, file));
}

/** Options that make apt-get work with one suite and its own folders only, blind to what the machine has installed. */
async function aptOptions(suite: Suite, archive: string, work: string): Promise<string[]> {
  const lists = join(work, "lists");
  const cache = join(work, "cache");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(cache, "archives", "partial"), { recursive: true });
  const sources = join(work, "archive.sources");
  await writeFile(
    sources,
    [
      "Types: deb",
      `URIs: ${archive}`,
      `Suites: ${suite}`,
      "Components: main",
      ...(existsSync(keyring) ? [`Signed-By: ${keyring}`] : []),
      "",
    ].join("\n"),
  );
  // Read after the machine's configuration, whose proxies and the like stay in force; its hooks must not run for us.
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
    // The cache folder may lie below a folder that apt's own user cannot enter.
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Acquire::http::Timeout": "30",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
  };
  return ["-c", configuration, ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}
