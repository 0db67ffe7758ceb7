/**
 * A closed room for one runtime: PID, mount and cgroup namespaces of its own, the network being the machine's.
 *
 * Shims and containers outlive the runtime that started them, and mounts and network namespaces outlive everything. Inside an
 * enclosure they do not: when its first process is killed, the kernel ends every process in it and drops its mounts, and it is
 * killed as soon as the process that started it is gone, even by SIGKILL. The room also has its own copies of /run and
 * /var/lib, so that nothing mixes with a real runtime on a developer's machine.
 *
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroupMounts, createCgroup, leaf } from "./cgroups.js";
import { childrenOf, type ProcessIdentity } from "./processes.js";

export interface NamespaceOptions {
  /** Folder of the instance; `private` below it becomes a file system of the enclosure's own. */
  folder: string;
  cgroup: string;
  busybox: string;
  /** A first process that reaps what is orphaned. */
  tini: string;
  environment: NodeJS.ProcessEnv;
}

/** Starts a program that ends with this process, in a session of its own so that Ctrl+C reaches only the lab's owner. */
export function spawnBound(command: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], { ...options, detached: true });
}

export class Namespaces {
  private constructor(
    private readonly options: NamespaceOptions,
    private readonly first: ProcessIdentity,
  ) {}

  static async open(options: NamespaceOptions): Promise<Namespaces> {
    createCgroup(options.cgroup);
    await mkdir(privateFolder(options.folder), { recursive: true });
    const furnish = join(options.folder, "furnish.sh");
    await writeFile(furnish, furnishing(options));
    const namespaces = ["--mount", "--pid", "--cgroup", "--fork", "--kill-child=KILL", "--mount-proc"];
    const child = spawnBound(
      // Joining the group comes first: the group a process is in becomes the root of the cgroup namespace it creates.
      joining(groupFolders(options.cgroup), ["unshare", ...namespaces, "--", "/bin/sh", furnish]),
      { env: options.environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    await furnished(child);
    // The one that waits for the namespace joined the group too, and would keep version 2 from having groups below it.
    for (const folder of insideFolders(options.cgroup)) await writeFile(join(folder, "cgroup.procs"), `${child.pid}`);
    const first = child.pid === undefined ? undefined : childrenOf(child.pid)[0];
    if (first === undefined) throw new Error("The enclosure ended as soon as it was ready.");
    return new Namespaces(options, first);
  }

  /** A folder of the enclosure's own, in memory, for what the machine need not see. */
  get privateFolder(): string {
    return privateFolder(this.options.folder);
  }

  /** Starts a program inside. The child process is a door-keeper that ends when the program does; see {@link inner}. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const enter = ["nsenter", "--target", String(this.first.pid), "--mount", "--pid", "--cgroup", "--"];
    const [shell = "", ...args] = joining(insideFolders(this.options.cgroup), [...enter, ...command]);
    // Not bound to this process: the program dies with the enclosure, and somebody has to wait for it then.
    return spawn(shell, args, { ...options, detached: true });
  }

  /** The program that a door-keeper stands for: signals meant for the program go there. */
  static inner(nsenter: ChildProcess): ProcessIdentity | undefined {
    return nsenter.pid === undefined ? undefined : childrenOf(nsenter.pid)[0];
  }
}

function privateFolder(folder: string): string {
  return join(folder, "private");
}

function groupFolders(name: string): string[] {
  return cgroupMounts().map(({ path }) => join(path, name));
}

/** Where the enclosure's own processes belong: below version 2, a leaf. */
function insideFolders(name: string): string[] {
  return cgroupMounts().map(({ path, version }) => (version === 2 ? join(path, name, leaf) : join(path, name)));
}

/** A command that joins the groups and then becomes the given command. */
function joining(groups: readonly string[], command: readonly string[]): string[] {
  const joins = groups.map((group) => `echo $$ > ${quote(join(group, "cgroup.procs"))}`);
  return ["/bin/sh", "-c", ["set -e", ...joins, 'exec "$@"'].join("\n"), "sh", ...command];
}

/** The script that furnishes the new namespaces and then becomes their first process. */
function furnishing({ folder, busybox, tini }: NamespaceOptions): string {
  const tool = quote(busybox);
  const own = quote(privateFolder(folder));
  const cgroups = cgroupMounts().flatMap(({ path, version, options }) => [
    // The kernel refuses to mount a hierarchy over itself.
    `${tool} umount ${quote(path)}`,
    version === 2
      ? `${tool} mount -t cgroup2 cgroup2 ${quote(path)}`
      : `${tool} mount -t cgroup -o ${options} cgroup ${quote(path)}`,
    ...(version === 2 ? [`echo $$ > ${quote(join(path, leaf, "cgroup.procs"))}`] : []),
  ]);
  const copies = ["/run", "/var/lib"].flatMap((path) => [
    `${tool} mkdir -p over${path} work${path}`,
    // What is mounted below would be hidden, and might hold the very programs that are to run.
    ...mountsBelow(path).map((mount, index) => keeping(tool, mount, `keep${path}/${index}`)),
    `${tool} mount -t overlay -o lowerdir=${path},upperdir=over${path},workdir=work${path} overlay ${path}`,
    ...mountsBelow(path).map((mount, index) => `${tool} mount -o rbind keep${path}/${index} ${quote(mount)}`),
  ]);
  return [
    "set -e",
    ...cgroups,
    // In memory: fast, gone with the namespace, and fit for overlays even where this machine's root is an overlay itself.
    `${tool} mount -t tmpfs -o mode=0755 cri-lab ${own}`,
    `cd ${own}`,
    ...copies,
    `${tool} rm -rf /run/containerd /run/netns /var/lib/cni`,
    "echo furnished",
    `exec ${quote(tini)} -- ${tool} sleep infinity`,
    "",
  ].join("\n");
}

/** Folders that something is mounted on below a path, without those further below them. */
function mountsBelow(path: string): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((mount) => mount.startsWith(`${path}/`) && statSync(mount, { throwIfNoEntry: false })?.isDirectory());
  return [...new Set(mounts)].filter((mount) => !mounts.some((other) => mount.startsWith(`${other}/`)));
}

function keeping(tool: string, mount: string, keep: string): string {
  return `${tool} mkdir -p ${keep} && ${tool} mount -o rbind ${quote(mount)} ${keep}`;
}

/** Resolves when the script says that it is done, and rejects with its complaint when it ends before. */
function furnished(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint += chunk;
    });
    child.stdout?.once("data", () => {
      // From here on nobody reads: what keeps the owner's event loop alive is the lab, not this child.
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve();
    });
    child.once("error", (error) => reject(new Error(`No enclosure: ${error.message}`, { cause: error })));
    child.once("close", (code) => reject(new Error(`No enclosure (exit code ${code}): ${complaint.trim()}`)));
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
