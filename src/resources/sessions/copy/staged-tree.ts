import type { Folder } from "../../../internal/files/folder.js";
import { closeStaged, openStaged, type StagedFolder } from "./staging.js";

/** The folders of an archive while it is unpacked. Those that lead to the latest entry are open; no link is followed. */
export class StagedTree implements AsyncDisposable {
  /** From the root. */
  readonly #open: StagedFolder[];
  readonly #names: string[] = [];

  private constructor(root: StagedFolder) {
    this.#open = [root];
  }

  /** Makes the root of the tree. */
  static async create(parent: Folder, name: string): Promise<StagedTree> {
    await parent.make(name);
    return new StagedTree(await openStaged(parent, name));
  }

  /** Opens the folder of a path, made on request if it is not there. Folders that are left get their attributes. */
  async enter(path: readonly string[], make = true): Promise<StagedFolder> {
    let shared = 0;
    while (shared < this.#names.length && this.#names[shared] === path[shared]) shared++;
    await this.#leave(shared + 1);
    for (const name of path.slice(shared)) {
      const { folder } = this.#deepest;
      if (make) await folder.make(name);
      this.#open.push(await openStaged(folder, name));
      this.#names.push(name);
    }
    return this.#deepest;
  }

  get #deepest(): StagedFolder {
    return this.#open.at(-1) as StagedFolder;
  }

  /** Gives all folders that are open their attributes. */
  async finish(): Promise<void> {
    await this.#leave(0);
  }

  /** Closes all open folders but the first ones. */
  async #leave(left: number): Promise<void> {
    this.#names.length = Math.max(0, left - 1);
    while (this.#open.length > left) await closeStaged(this.#open.pop() as StagedFolder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { folder } of this.#open.splice(0)) await folder[Symbol.asyncDispose]();
  }
}
