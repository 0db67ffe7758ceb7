import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binaryPackages } from "./binaries.js";
import type { Cell, Project } from "./cell.js";
import { CellFolder } from "./cell-folder.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const execute = promisify(execFile);

/** A temporary folder with the packed package, the binaries of JavaScript runtimes, and the projects of the cells. */
export class Workspace implements AsyncDisposable {
  readonly #folder: string;
  #tarball = "";
  #project: Project | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Packs the package, and installs the binaries. */
  static async open(): Promise<Workspace> {
    const packages = binaryPackages();
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), "cri-matrix-")));
    try {
      await npm(["pack", "--silent", "--pack-destination", workspace.#folder], root);
      const [tarball = ""] = await readdir(workspace.#folder);
      workspace.#tarball = join(workspace.#folder, tarball);
      await workspace.#install("binaries", packages);
      return workspace;
    } catch (error) {
      await workspace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Returns the folder for a cell. Removes the project of the previous cell if this cell has another one. */
  async folderFor({ name, project }: Cell): Promise<CellFolder> {
    if (this.#project !== project) {
      if (this.#project) await remove(join(this.#folder, this.#project.name));
      await this.#install(project.name, { ...project.packages, "k8s-cri-client": `file:${this.#tarball}` });
      this.#project = project;
    }
    return new CellFolder(join(this.#folder, project.name), name, join(this.#folder, "binaries"));
  }

  async #install(name: string, dependencies: Record<string, string>): Promise<void> {
    const folder = join(this.#folder, name);
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name, private: true, dependencies }));
    await npm(
      ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
      folder,
    );
  }

  /** Removes the folder at once, before a signal ends the process. */
  removeNow(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.#folder);
  }
}

const remove = (folder: string) => rm(folder, { recursive: true, force: true });

async function npm(args: readonly string[], cwd: string): Promise<void> {
  await execute("npm", args, { cwd, timeout: 600_000, maxBuffer: 2 ** 26 });
}
