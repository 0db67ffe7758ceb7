/**
 * Isolates one runtime in its own PID, mount and cgroup namespaces. It uses the network of the machine.
 *
 * Without namespaces, shims and containers outlive the runtime that started them, and mounts and network namespaces outlive all
 * processes. A PID namespace prevents this: when its first process is killed, the kernel ends all its processes and removes its
 * mounts. The first process is killed when the process that started it ends, even by SIGKILL.
 *
 * The mount namespace has its own copies of /run and /var/lib, separate from those of a real runtime on the machine.
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
  /** Folder of the instance. `private` in it becomes a file system in the mount namespace. */
  folder: string;
  cgroup: string;
  busybox: string;
  /** The first process, which reaps orphans. */
  tini: string;
  environment: NodeJS.ProcessEnv;
}

/** Starts a program that ends with this process. It has its own session, so that Ctrl+C signals only the owner of the lab. */
export function spawnBound(command: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], { ...options, detached: true });
}

export class Namespaces {
  private constructor(
    private readonly options: NamespaceOptions,
    private readonly first: ProcessIdentity,
  ) {}

  static async create(options: NamespaceOptions): Promise<Namespaces> {
    createCgroup(options.cgroup);
    await mkdir(privateFolder(options.folder), { recursive: true });
    const setup = join(options.folder, "setup.sh");
    await writeFile(setup, setupScript(options));
    const namespaces = ["--mount", "--pid", "--cgroup", "--fork", "--kill-child=KILL", "--mount-proc"];
    const child = spawnBound(
      // A process must join the group before it creates the cgroup namespace, whose root is the group of its creator.
      inGroups(groupFolders(options.cgroup), ["unshare", ...namespaces, "--", "/bin/sh", setup]),
      { env: options.environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    await setupCompleted(child);
    // The waiting unshare is in the group as well. In version 2, a group with processes cannot have groups with controllers.
    for (const folder of insideFolders(options.cgroup)) await writeFile(join(folder, "cgroup.procs"), `${child.pid}`);
    const first = child.pid === undefined ? undefined : childrenOf(child.pid)[0];
    if (first === undefined) throw new Error("the first process of the namespaces ended during the setup");
    return new Namespaces(options, first);
  }

  /** A tmpfs in the mount namespace. */
  get privateFolder(): string {
    return privateFolder(this.options.folder);
  }

  /** Starts a program in the namespaces. The child process is an `nsenter` that ends with the program; see {@link programOf}. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const enter = ["nsenter", "--target", String(this.first.pid), "--mount", "--pid", "--cgroup", "--"];
    const [shell = "", ...args] = inGroups(insideFolders(this.options.cgroup), [...enter, ...command]);
    // Not bound to this process. The kernel kills the program with its namespaces, and nsenter must live longer to reap it.
    return spawn(shell, args, { ...options, detached: true });
  }

  /** Returns the program that an `nsenter` from {@link spawn} runs, for sending signals to it. */
  static programOf(nsenter: ChildProcess): ProcessIdentity | undefined {
    return nsenter.pid === undefined ? undefined : childrenOf(nsenter.pid)[0];
  }
}

function privateFolder(folder: string): string {
  return join(folder, "private");
}

function groupFolders(name: string): string[] {
  return cgroupMounts().map(({ path }) => join(path, name));
}

/** Returns the groups of the runtime's own processes: in version 2, the leaf group. */
function insideFolders(name: string): string[] {
  return cgroupMounts().map(({ path, version }) => (version === 2 ? join(path, name, leaf) : join(path, name)));
}

/** Returns a command that joins the groups and then executes the given command. */
function inGroups(groups: readonly string[], command: readonly string[]): string[] {
  const joins = groups.map((group) => `echo $$ > ${quote(join(group, "cgroup.procs"))}`);
  return ["/bin/sh", "-c", ["set -e", ...joins, 'exec "$@"'].join("\n"), "sh", ...command];
}

/** Returns the script that sets up the mounts in the new namespaces and then becomes their first process. */
function setupScript({ folder, busybox, tini }: NamespaceOptions): string {
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
    // The overlay would hide mounts below the path, which may contain the programs to run.
    ...mountsBelow(path).map((mount, index) => keepMount(tool, mount, `keep${path}/${index}`)),
    `${tool} mount -t overlay -o lowerdir=${path},upperdir=over${path},workdir=work${path} overlay ${path}`,
    ...mountsBelow(path).map((mount, index) => `${tool} mount -o rbind keep${path}/${index} ${quote(mount)}`),
  ]);
  return [
    "set -e",
    ...cgroups,
    // A tmpfs is fast, ends with the namespace, and supports overlay mounts even if the machine's root is an overlay.
    `${tool} mount -t tmpfs -o mode=0755 cri-lab ${own}`,
    `cd ${own}`,
    ...copies,
    `${tool} rm -rf /run/containerd /run/netns /var/lib/cni`,
    "echo ready",
    `exec ${quote(tini)} -- ${tool} sleep infinity`,
    "",
  ].join("\n");
}

/** Lists the topmost mount points below a path. */
function mountsBelow(path: string): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((mount) => mount.startsWith(`${path}/`) && statSync(mount, { throwIfNoEntry: false })?.isDirectory());
  return [...new Set(mounts)].filter((mount) => !mounts.some((other) => mount.startsWith(`${other}/`)));
}

function keepMount(tool: string, mount: string, keep: string): string {
  return `${tool} mkdir -p ${keep} && ${tool} mount -o rbind ${quote(mount)} ${keep}`;
}

/** Resolves when the setup script prints that it is ready. Rejects with its error output if it ends before. */
function setupCompleted(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let errorOutput = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      errorOutput += chunk;
    });
    child.stdout?.once("data", () => {
      // An open pipe would keep the event loop of the owner running.
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve();
    });
    child.once("error", (error) =>
      reject(new Error(`could not create the namespaces: ${error.message}`, { cause: error })),
    );
    child.once("close", (code) =>
      reject(new Error(`could not create the namespaces (exit code ${code}): ${errorOutput.trim()}`)),
    );
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
