import { type FSWatcher, statfsSync, statSync, watch } from "node:fs";
import { basename } from "node:path";

/** What happened to a file: it was written, or its name was given or taken. "lost": nothing is reported any more. */
export type FileChange = "content" | "name" | "lost";

type Listener = (change: FileChange) => void;

/** The types of local file systems on Linux, from statfs(2). Others, such as NFS and FUSE, do not report every change. */
const localFileSystems: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3 and ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
]);

/** The folders that are watched now. */
const folders = new Map<string, FolderWatch>();

/** Watches a folder, once for all its files that are followed. */
export class FolderWatch {
  /** Whether every change is reported. Otherwise, followers also have to poll. */
  readonly isReliable: boolean;
  readonly #folder: string;
  readonly #inode: string;
  readonly #watcher: FSWatcher;
  readonly #listeners = new Map<string, Set<Listener>>();

  private constructor(folder: string, inode: string) {
    this.#folder = folder;
    this.#inode = inode;
    this.#watcher = watch(folder, { persistent: false }, (type, name) => this.#report(type, name));
    this.#watcher.on("error", () => this.#lose());
    this.isReliable = process.platform === "linux" && localFileSystems.has(statfsSync(folder).type);
    folders.set(folder, this);
  }

  /** Returns the watch of a folder. @throws Error if the folder cannot be watched */
  static of(folder: string): FolderWatch {
    const inode = inodeOf(folder);
    const open = folders.get(folder);
    if (open && open.#inode === inode) return open;
    // Another folder has the name now.
    if (open) open.#lose();
    return new FolderWatch(folder, inode);
  }

  /** Reports the changes of a file, until the returned function is called. */
  add(name: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(name);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  #report(type: string, name: string | null): void {
    // The name of the folder itself means that it may have been moved or removed.
    if (name === basename(this.#folder) && !this.#isCurrent()) this.#lose();
    else if (name === null) this.#reportAll("name");
    else for (const listener of this.#listeners.get(name) ?? []) listener(type === "change" ? "content" : "name");
  }

  #reportAll(change: FileChange): void {
    for (const listener of [...this.#listeners.values()].flatMap((listeners) => [...listeners])) listener(change);
  }

  #isCurrent(): boolean {
    try {
      return inodeOf(this.#folder) === this.#inode;
    } catch {
      return false;
    }
  }

  #lose(): void {
    this.#close();
    this.#reportAll("lost");
  }

  #close(): void {
    this.#watcher.close();
    if (folders.get(this.#folder) === this) folders.delete(this.#folder);
  }
}

function inodeOf(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true });
  return `${dev}:${ino}`;
}
