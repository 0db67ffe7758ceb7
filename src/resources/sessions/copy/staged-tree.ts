import type { Folder } from "../../../internal/files/folder.js";
import { closeStaged, openStaged, type StagedFolder } from "./staging.js";

/**
 * The folder tree of an archive while it is unpacked. Keeps the folders on the path of the latest entry open, and follows no
 * link. A folder gets its mode and time when it is closed, after its files are written.
 */
export class StagedTree implements AsyncDisposable {
  /** The open folders, from the root down. */
  readonly #open: StagedFolder[];
  /** The names of the open folders below the root. */
  readonly #names: string[] = [];

  private constructor(root: StagedFolder) {
    this.#open = [root];
  }

  /** Creates the root of the tree. */
  static async create(parent: Folder, name: string): Promise<StagedTree> {
    await parent.make(name);
    return new StagedTree(await openStaged(parent, name));
  }

  /** Returns whether the folder at a path is the one that was entered last. */
  isIn(path: readonly string[]): boolean {
    return path.length === this.#names.length && path.every((name, index) => name === this.#names[index]);
  }

  /**
   * Opens the folder at a path, and closes the open folders that are not on this path. Creates missing folders if `make` is true.
   */
  async enter(path: readonly string[], make = true): Promise<StagedFolder> {
    let shared = 0;
    while (shared < this.#names.length && this.#names[shared] === path[shared]) shared++;
    await this.#closeBelow(shared + 1);
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

  /** Closes all folders, with their modes and times. */
  async finish(): Promise<void> {
    await this.#closeBelow(0);
  }

  /** Closes all open folders except for the first `count`. */
  async #closeBelow(count: number): Promise<void> {
    this.#names.length = Math.max(0, count - 1);
    while (this.#open.length > count) await closeStaged(this.#open.pop() as StagedFolder);
  }

  /** Closes all folders after a failure, without their modes and times. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { folder } of this.#open.splice(0)) await folder[Symbol.asyncDispose]();
  }
}
