import { chmod, mkdir, readlink } from "node:fs/promises";
import { toByteString } from "../../internal/files/byte-string.js";
import { PathHandle } from "../../internal/files/path-handle.js";
import { refuseDisk } from "./disk-error.js";

/** The number of symbolic links that Linux follows in one path. */
const maxLinks = 40;

/** The most directories of a path. Each is held open until the last one is found. */
const maxDepth = 256;

/**
 * Opens a path within a volume. Resolves symbolic links that stay in the volume. Opens each directory from the one before without
 * following links, so that no container can lead the path out of the volume by replacing a directory while it is being opened.
 * Creates missing directories with the permissions of the volume's root, as a kubelet does.
 *
 * @param path relative to the volume
 * @returns a handle, which the caller must close
 * @throws CriError `FAILED_PRECONDITION` for a path that leads out of the volume, or the error of `node:fs`
 */
export async function openWithinVolume(volumePath: string, path: string): Promise<PathHandle> {
  await using root = await PathHandle.open(volumePath, { directory: true });
  await using walk = new VolumeWalk(root, `${volumePath}/${path}`);
  const rootPath = await readlink(root.path, "latin1");
  const rest = segmentsOf(toByteString(path));
  for (let links = 0, name = rest.shift(); name !== undefined; name = rest.shift()) {
    const target = await walk.step(name);
    if (target === undefined) continue;
    if (++links > maxLinks) refuseDisk(`${walk.name} has more than ${maxLinks} symbolic links`);
    if (target.startsWith("/")) {
      if (target !== rootPath && !target.startsWith(`${rootPath}/`)) walk.refuse();
      await walk.restart();
    }
    rest.unshift(...segmentsOf(target.startsWith("/") ? target.slice(rootPath.length) : target));
  }
  return await walk.take();
}

/** The open directories of a path, from the volume's root to the current one. */
class VolumeWalk implements AsyncDisposable {
  /** Without the root. */
  readonly #steps: PathHandle[] = [];

  constructor(
    private readonly root: PathHandle,
    readonly name: string,
  ) {}

  refuse(): never {
    return refuseDisk(`${this.name} leads out of the volume`);
  }

  /** Goes to the file with this name, which may be `..`. For a symbolic link, stays here and returns its target. */
  async step(name: string): Promise<string | undefined> {
    if (name === "..") {
      await (this.#steps.pop() ?? this.refuse()).close();
      return undefined;
    }
    if (this.#steps.length === maxDepth) refuseDisk(`${this.name} has more than ${maxDepth} directories`);
    const next = await this.#openOrMake(Buffer.from(`${this.#current.path}/${name}`, "latin1"));
    if (!next.stats.isSymbolicLink()) {
      this.#steps.push(next);
      return undefined;
    }
    await using link = next;
    return await link.readLink();
  }

  /** Goes back to the root. */
  async restart(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step.close();
  }

  /** Returns a handle of the current file, which now belongs to the caller. */
  async take(): Promise<PathHandle> {
    return this.#steps.pop() ?? PathHandle.open(this.root.path, { directory: true, name: this.name });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.restart();
  }

  get #current(): PathHandle {
    return this.#steps.at(-1) ?? this.root;
  }

  async #openOrMake(location: Buffer): Promise<PathHandle> {
    const { name } = this;
    const open = () => PathHandle.open(location, { follow: false, name });
    const existing = await open().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (existing) return existing;
    const isMade = await mkdir(location).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false; // by a container
        throw error;
      },
    );
    const found = await open();
    if (!isMade || !found.stats.isDirectory()) return found;
    try {
      // Keeps the set-group-ID bit, so that new files belong to the fsGroup, but not the sticky bit of a tmpfs.
      await chmod(found.path, Number(this.root.stats.mode) & 0o2777);
      return found;
    } catch (error) {
      await found.close();
      throw error;
    }
  }
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
