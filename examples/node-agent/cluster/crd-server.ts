/**
 * Builds the part of a current API server that serves custom resources, from Debian's Go packages.
 *
 * @module
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../../test/runtime/lab/cache.js";
import { fetchPackages, packageVersion } from "../../../test/runtime/lab/debian.js";
import { builtOnce, runGo } from "../../../test/runtime/lab/go.js";
import { crdServerPackages } from "./crd-server-packages.js";
import type { Report } from "./step.js";

const source = fileURLToPath(new URL("crd-server.go", import.meta.url));

/** Builds the program. The first build takes about three minutes. */
export async function crdServerProgram(report: Report = () => {}): Promise<string> {
  const code = await readFile(source, "utf8");
  return await builtOnce(["crd-server", ...crdServerPackages, code].join("\n"), async (path) => {
    report("downloads the libraries");
    const libraries = await fetchPackages("sid", crdServerPackages);
    const buildCache = await mkdtemp(join(cacheFolder(), "crd-server-"));
    try {
      const gopath = join(libraries, "usr/share/gocode");
      const flags = ["-trimpath", "-ldflags", await linkerFlags()];
      report("compiles the server");
      await runGo("1.26", ["build", ...flags, "-o", path, source], { gopath, buildCache });
    } finally {
      await rm(buildCache, { recursive: true, force: true });
    }
  });
}

/** The libraries 0.X.Y belong to Kubernetes 1.X.Y. */
async function linkerFlags(): Promise<string> {
  const library = await packageVersion("sid", "golang-k8s-apiextensions-apiserver-dev");
  const [, minor = "0", patch = "0"] = /^0\.(\d+)\.(\d+)/.exec(library) ?? [];
  const version = "k8s.io/component-base/version";
  return ["-s", "-w", `-X ${version}.gitVersion=v1.${minor}.${patch}`, `-X ${version}.gitMajor=1`]
    .concat(`-X ${version}.gitMinor=${minor}`)
    .join(" ");
}
