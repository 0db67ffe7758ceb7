/**
 * Builds the whole API server of Kubernetes 1.20, and its controller manager, from Debian's source package.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../../test/runtime/lab/cache.js";
import { run } from "../../../test/runtime/lab/command.js";
import { fetchPackages, fetchSource } from "../../../test/runtime/lab/debian.js";
import { builtOnce, type GoCommandOptions, goEnvironment, runGo } from "../../../test/runtime/lab/go.js";
import type { Report } from "./step.js";

const release = { version: "v1.20.2", major: "1", minor: "20" };
const importPath = "k8s.io/kubernetes";

export interface FullServerPrograms {
  apiServer: string;
  controllerManager: string;
}

/** Builds both programs. The first build takes about five minutes. */
export async function fullServerPrograms(report: Report = () => {}): Promise<FullServerPrograms> {
  const paths: string[] = [];
  await using tree = new SourceTree();
  for (const name of ["kube-apiserver", "kube-controller-manager"]) {
    const build = async (path: string) => {
      report("prepares the sources");
      await tree.prepare();
      report(`compiles ${name}`);
      await tree.build(`${importPath}/cmd/${name}`, path, linkerFlags());
    };
    paths.push(await builtOnce(`${name} ${release.version}`, build));
  }
  const [apiServer = "", controllerManager = ""] = paths;
  return { apiServer, controllerManager };
}

/** A copy of the sources in a GOPATH, with the changes that a build needs. */
class SourceTree {
  #folder: string | undefined;
  /** A process that is interrupted while it builds must not leave gigabytes. */
  readonly #onExit = () => rmSync(this.#root, { recursive: true, force: true, maxRetries: 10 });

  async prepare(): Promise<void> {
    if (this.#folder !== undefined) return;
    this.#folder = await mkdtemp(join(cacheFolder(), "kubernetes-"));
    process.once("exit", this.#onExit);
    await mkdir(dirname(this.#sources), { recursive: true });
    await cp(await fetchSource("bookworm", "kubernetes"), this.#sources, { recursive: true, verbatimSymlinks: true });
    await this.#replaceReflect2();
    await this.#generateOpenApi();
  }

  async build(program: string, path: string, flags: readonly string[] = []): Promise<void> {
    await runGo("1.19", ["build", "-trimpath", ...flags, "-o", path, program], this.#go);
  }

  /** Removes the copy, with two gigabytes of compiled packages. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  get #root(): string {
    if (this.#folder === undefined) throw new Error("the sources are not prepared");
    return this.#folder;
  }

  get #go(): GoCommandOptions {
    return { gopath: join(this.#root, "gopath"), buildCache: join(this.#root, "cache"), cwd: this.#sources };
  }

  get #sources(): string {
    return join(this.#root, "gopath/src", importPath);
  }

  /** The vendored reflect2 reads the maps of Go 1.17, so it crashes in programs that Go 1.18 or newer builds. */
  async #replaceReflect2(): Promise<void> {
    const path = "github.com/modern-go/reflect2";
    const newer = await fetchPackages("bookworm", ["golang-github-modern-go-reflect2-dev"]);
    const vendored = join(this.#sources, "vendor", path);
    await rm(vendored, { recursive: true });
    await cp(join(newer, "usr/share/gocode/src", path), vendored, { recursive: true, dereference: true });
  }

  /** The source package lacks zz_generated.openapi.go, which the API server imports. */
  async #generateOpenApi(): Promise<void> {
    const vendored = `${importPath}/vendor/k8s.io`;
    const generator = join(this.#root, "openapi-gen");
    await this.build(`${vendored}/kube-openapi/cmd/openapi-gen`, generator);
    const marked = await run(
      "grep",
      ["-rlE", "--include=*.go", "^// \\+k8s:openapi-gen=", "pkg", "cmd", "plugin", "staging/src/k8s.io"],
      { cwd: this.#sources },
    );
    const folders = new Set(
      marked
        .split("\n")
        .filter((file) => file !== "" && !/code-generator|sample-apiserver|\/zz_generated/.test(file))
        .map((file) => dirname(file))
        .map((folder) =>
          folder.startsWith("staging/src/")
            ? `${importPath}/vendor/${folder.slice("staging/src/".length)}`
            : `${importPath}/${folder}`,
        ),
    );
    const env = await goEnvironment("1.19", this.#go);
    const args = [
      "-v=0",
      "--logtostderr",
      "--go-header-file=vendor/k8s.io/code-generator/hack/boilerplate.go.txt",
      `--input-dirs=${[...folders].sort().join(",")}`,
      `--output-package=${importPath}/pkg/generated/openapi`,
      "--output-file-base=zz_generated.openapi",
      `--report-filename=${join(this.#root, "violations.txt")}`,
    ];
    await run(generator, args, { cwd: this.#sources, env, timeoutMs: 300_000 });
  }
}

/** kubectl cannot read the default version. */
function linkerFlags(): string[] {
  const vendored = `${importPath}/vendor/k8s.io`;
  const settings = [`${vendored}/component-base/version`, `${vendored}/client-go/pkg/version`].flatMap((path) => [
    `-X ${path}.gitVersion=${release.version}`,
    `-X ${path}.gitMajor=${release.major}`,
    `-X ${path}.gitMinor=${release.minor}`,
  ]);
  return ["-ldflags", ["-s", "-w", ...settings].join(" ")];
}
