import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { cpus, hostname, type NetworkInterfaceInfo, networkInterfaces, totalmem } from "node:os";
import { dirname } from "node:path";
import { type CgroupHierarchy, cgroupHierarchies, cgroupVersion } from "../../internal/machine/cgroup-hierarchies.js";
import { readMounts } from "../../internal/machine/mount-table.js";
import type { ResourceList } from "../manifest/container.js";

/** Facts about this machine. */
export interface Machine {
  nodeName: string;
  addresses: string[];
  capacity: ResourceList;
  hugePageSizesBytes: number[];
  swapCapacityBytes: number;
  swapController: boolean;
  cgroupVersion: 1 | 2;
  selinuxEnabled: boolean;
  maskedPaths: string[];
}

/** Huge pages of one size. */
export interface HugePages {
  sizeBytes: number;
  count: number;
}

/** The number of pods of a kubelet by default (`maxPods`). */
const maxPods = 110;

/**
 * Reads the facts about this machine. Those that it does not report, such as huge pages on systems other than Linux, are empty.
 *
 * @param directory the directory whose file system is the node's ephemeral storage; it need not exist yet
 */
export async function readMachine(directory: string): Promise<Machine> {
  const hierarchies = cgroupHierarchies(await readMounts());
  const memory = await readMemory();
  const hugePages = await readHugePages();
  return {
    nodeName: hostname().trim().toLowerCase(),
    addresses: nodeAddresses(networkInterfaces(), await defaultInterface()),
    capacity: {
      cpu: String(cpus().length),
      memory: `${Math.floor((memory.MemTotal ?? totalmem()) / 1_024)}Ki`,
      ...Object.fromEntries(
        hugePages.map(({ sizeBytes, count }) => [`hugepages-${binary(sizeBytes)}`, binary(sizeBytes * count)]),
      ),
      "ephemeral-storage": await storageOf(directory),
      pods: String(maxPods),
    },
    hugePageSizesBytes: hugePages.map(({ sizeBytes }) => sizeBytes),
    swapCapacityBytes: memory.SwapTotal ?? 0,
    swapController: await hasSwapController(hierarchies),
    cgroupVersion: cgroupVersion(hierarchies),
    selinuxEnabled: await exists("/sys/fs/selinux/enforce"),
    maskedPaths: await thermalStatistics("/sys/devices/system/cpu"),
  };
}

/** Returns the values of `/proc/meminfo` in bytes. */
async function readMemory(): Promise<Readonly<Partial<Record<string, number>>>> {
  const text = await readIfAny("/proc/meminfo");
  const lines = [...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)];
  return Object.fromEntries(lines.map(([, key = "", kilobytes]) => [key, Number(kilobytes) * 1_024]));
}

async function readHugePages(): Promise<HugePages[]> {
  const root = "/sys/kernel/mm/hugepages";
  const names = await readdir(root).catch(() => []);
  const pages = await Promise.all(
    names.map(async (name) => {
      const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
      return { sizeBytes: kilobytes * 1_024, count: Number(await readIfAny(`${root}/${name}/nr_hugepages`)) };
    }),
  );
  return pages.filter(({ sizeBytes }) => sizeBytes > 0).sort((a, b) => a.sizeBytes - b.sizeBytes);
}

/** Returns the directories with the thermal statistics of the CPUs, which tell a container what others do. As in Kubernetes 1.34. */
export async function thermalStatistics(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  const numbers = names.flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const paths = numbers.sort((a, b) => a - b).map((cpu) => `${root}/cpu${cpu}/thermal_throttle`);
  const found = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => found[index]);
}

/** Returns the size of the file system of a directory, or of its closest parent that exists. */
async function storageOf(directory: string): Promise<string> {
  for (let path = directory; ; path = dirname(path)) {
    const found = await statfs(path, { bigint: true }).catch(() => undefined);
    if (found) return `${(found.blocks * found.bsize) / 1_024n}Ki`;
    if (path === dirname(path)) return "0";
  }
}

/** Returns the name of the network interface with the default route. */
async function defaultInterface(): Promise<string | undefined> {
  // Name and destination; destination 0.0.0.0 is the default route.
  const v4 = /^(\S+)\t00000000\t/m.exec(await readIfAny("/proc/net/route"))?.[1];
  // Destination ::/0 comes first, the name last. Routes of "lo" are for unreachable destinations.
  const v6 = /^0{32} 00 .* (?!lo$)(\S+)$/m.exec(await readIfAny("/proc/net/ipv6_route"))?.[1];
  return v4 ?? v6;
}

/** Returns the address of the node: that of the interface with the default route, IPv4 before IPv6. */
export function nodeAddresses(
  interfaces: Readonly<Partial<Record<string, readonly NetworkInterfaceInfo[]>>>,
  preferred: string | undefined,
): string[] {
  const all = [
    ...((preferred === undefined ? undefined : interfaces[preferred]) ?? []),
    ...Object.values(interfaces).flatMap((addresses) => addresses ?? []),
  ].filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const found = all.find(({ family }) => family === "IPv4") ?? all[0];
  return found ? [found.address] : [];
}

async function hasSwapController(hierarchies: readonly CgroupHierarchy[]): Promise<boolean> {
  const memory = hierarchies.find(({ controllers }) => controllers.includes("memory"));
  if (memory) return exists(`${memory.path}/memory.memsw.limit_in_bytes`);
  // On version 2 the root has no limits, so this looks at the cgroup of this process.
  const own = /^0::(.*)$/m.exec(await readIfAny("/proc/self/cgroup"))?.[1];
  const [unified] = hierarchies;
  return unified !== undefined && own !== undefined && exists(`${unified.path}${own}/memory.swap.max`);
}

/** Formats bytes with the largest binary unit, as in `hugepages-2Mi`. */
function binary(bytes: number): string {
  const units = ["", "Ki", "Mi", "Gi", "Ti"];
  let value = bytes;
  let unit = 0;
  while (value > 0 && value % 1_024 === 0 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${value}${units[unit]}`;
}

async function readIfAny(path: string): Promise<string> {
  return readFile(path, "latin1").catch(() => "");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
