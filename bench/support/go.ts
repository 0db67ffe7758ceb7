/**
 * Go programs to compare with, built from Debian's packages without installing anything.
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

/** A compiler that runs on Debian 12, and the standard library as source. */
const compiler = ["golang-1.26-go", "golang-1.26-src"] as const;

/**
 * Builds a program of one file and resolves with its path; the second time it is there already. The first time takes a minute or
 * two, and the network.
 *
 * @param packages with the libraries that it imports, those that they import included
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
    // Everything that Go would keep in the user's home goes to the cache.
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
