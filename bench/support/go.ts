/**
 * Builds Go programs for comparison from Debian packages, without installing anything.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../../test/runtime/lab/cache.js";
import { run } from "../../test/runtime/lab/command.js";
import { fetchPackages } from "../../test/runtime/lab/debian.js";

/** The compiler and the sources of the standard library. Both work on Debian 12. */
const compiler = ["golang-1.26-go", "golang-1.26-src"] as const;

/**
 * Builds a program of one file and resolves with its path. The result is cached: only the first build takes a minute or two and
 * needs the network.
 *
 * @param packages Debian packages of all libraries that it imports, directly or indirectly
 */
export async function buildGo(source: string, packages: readonly string[]): Promise<string> {
  const key = [...compiler, ...packages, await readFile(source, "utf8")].join("\n");
  const folder = join(cacheFolder(), "go");
  const program = join(folder, createHash("sha256").update(key).digest("hex").slice(0, 16));
  if (existsSync(program)) return program;
  const [root, libraries] = await Promise.all([
    fetchPackages("trixie-backports", compiler),
    fetchPackages("forky", packages),
  ]);
  await mkdir(folder, { recursive: true });
  const draft = `${program}.${process.pid}`;
  await run(join(root, "usr/lib/go-1.26/bin/go"), ["build", "-o", draft, source], {
    // Go would otherwise write to the user's home folder.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GOCACHE: join(folder, "cache"),
      GOENV: "off",
      GOPATH: join(libraries, "usr/share/gocode"),
      GO111MODULE: "off",
      GOTOOLCHAIN: "local",
      CGO_ENABLED: "0",
    },
    timeoutMs: 900_000,
  });
  await rename(draft, program);
  return program;
}
