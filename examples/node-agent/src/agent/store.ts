import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The pod that this node may have: what is needed to run it on, and to find it after a crash. */
export interface Kept {
  namespace: string;
  name: string;
  taskUid: string;
  revision: string;
  template: { metadata?: object; spec: object };
}

/**
 * Keeps the templates of this node's pods in files. A pod is kept before it is started, so that a crash leaves no pod that the next
 * process does not know; and it runs on with its own template while the task already has another one.
 */
export class Store {
  readonly #kept = new Map<string, Kept>();

  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<Store> {
    // Templates may contain secrets.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = new Store(folder);
    for (const file of await readdir(folder)) {
      if (!file.endsWith(".json")) continue;
      const kept = JSON.parse(await readFile(join(folder, file), "utf8")) as Kept;
      store.#kept.set(`${kept.namespace}/${kept.name}`, kept);
    }
    return store;
  }

  get(key: string): Kept | undefined {
    return this.#kept.get(key);
  }

  keys(): string[] {
    return [...this.#kept.keys()];
  }

  async keep(kept: Kept): Promise<void> {
    const key = `${kept.namespace}/${kept.name}`;
    const { taskUid, revision } = this.#kept.get(key) ?? {};
    if (taskUid === kept.taskUid && revision === kept.revision) return;
    const draft = `${this.#file(key)}.draft`;
    await writeFile(draft, JSON.stringify(kept), { mode: 0o600, flush: true });
    await rename(draft, this.#file(key));
    this.#kept.set(key, kept);
  }

  async forget(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
    this.#kept.delete(key);
  }

  #file(key: string): string {
    return join(this.folder, `${key.replace("/", "_")}.json`);
  }
}
