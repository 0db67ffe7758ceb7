/**
 * Builds Go programs from Debian packages, without installing anything.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cacheFolder } from "./cache.js";
import { run } from "./command.js";
import { fetchPackages, type Suite } from "./debian.js";

/** The compilers, with the sources of the standard library. Both work on Debian 12. */
const compilers = {
  "1.19": { suite: "bookworm", packages: ["golang-1.19-go", "golang-1.19-src"] },
  "1.26": { suite: "trixie-backports", packages: ["golang-1.26-go", "golang-1.26-src"] },
} as const satisfies Record<string, { suite: Suite; packages: readonly string[] }>;

export interface GoCommandOptions {
  /** The folder with `src`, where packages are looked up. */
  gopath: string;
  cwd?: string;
  /** The folder for compiled packages. It grows to gigabytes with large programs. @defaultValue one in the lab's cache */
  buildCache?: string;
}

/** Returns the environment of `go` commands, and of programs that read Go packages. It allows no modules from the network. */
export async function goEnvironment(
  release: keyof typeof compilers,
  { gopath, buildCache }: GoCommandOptions,
): Promise<NodeJS.ProcessEnv> {
  const { suite, packages } = compilers[release];
  const goroot = join(await fetchPackages(suite, packages), `usr/lib/go-${release}`);
  const home = join(cacheFolder(), "go");
  await mkdir(home, { recursive: true });
  return {
    PATH: [join(goroot, "bin"), process.env.PATH].join(delimiter),
    // Go would otherwise write to the user's home folder.
    HOME: home,
    GOROOT: goroot,
    GOCACHE: buildCache ?? join(home, "cache"),
    GOENV: "off",
    GOPATH: gopath,
    GO111MODULE: "off",
    GOTOOLCHAIN: "local",
    CGO_ENABLED: "0",
  };
}

/** Runs a `go` command. */
export async function runGo(
  release: keyof typeof compilers,
  args: readonly string[],
  options: GoCommandOptions,
): Promise<void> {
  const env = await goEnvironment(release, options);
  const cwd = options.cwd === undefined ? {} : { cwd: options.cwd };
  await run(join(env.GOROOT ?? "", "bin/go"), args, { ...cwd, env, timeoutMs: 1_800_000 });
}

/**
 * Builds a program once for a key, and returns its path. A killed build leaves nothing that a later one would take for the program.
 *
 * @param key everything that the program depends on
 * @param build builds it at the path that it is given
 */
export async function builtOnce(key: string, build: (path: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), "go");
  const program = join(folder, createHash("sha256").update(key).digest("hex").slice(0, 16));
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const draft = `${program}.${process.pid}`;
  await build(draft);
  await rename(draft, program);
  return program;
}

/**
 * Builds a program of one file and returns its path. The result is cached: only the first build takes a minute or two and needs the
 * network.
 *
 * @param packages Debian packages of all libraries that it imports, directly or indirectly
 */
export async function buildGo(source: string, packages: readonly string[]): Promise<string> {
  const key = [...compilers["1.26"].packages, ...packages, await readFile(source, "utf8")].join("\n");
  return await builtOnce(key, async (path) => {
    const libraries = await fetchPackages("forky", packages);
    await runGo("1.26", ["build", "-o", path, source], { gopath: join(libraries, "usr/share/gocode") });
  });
}
