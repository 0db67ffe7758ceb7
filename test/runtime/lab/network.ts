/**
 * The network of each instance: a bridge and a subnet that nothing else on the machine uses.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const forwardingFile = "/proc/sys/net/ipv4/ip_forward";
/** 4,094 addresses for each instance. */
const prefixLength = 20;

interface Range {
  first: number;
  last: number;
}

/** Picks a free subnet at random, so that two labs that start at the same moment hardly ever want the same one. */
export function chooseSubnet(taken: readonly string[]): string {
  const occupied = [...routedRanges(), ...taken.map(rangeOf)];
  for (let attempt = 0; attempt < 1000; attempt++) {
    const subnet = `10.${randomInt(100, 250)}.${randomInt(0, 16) * 16}.0/${prefixLength}`;
    const range = rangeOf(subnet);
    if (occupied.every((other) => other.last < range.first || range.last < other.first)) return subnet;
  }
  throw new Error("No free subnet for a bridge between 10.100.0.0 and 10.249.255.255.");
}

/** Where this machine already has routes to; the default route, which covers everything, is no obstacle. */
function routedRanges(): Range[] {
  return readFileSync("/proc/net/route", "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const columns = line.split("\t");
      const destination = littleEndian(columns[1] ?? "");
      const mask = littleEndian(columns[7] ?? "");
      return mask === 0 ? [] : [{ first: destination, last: destination + (2 ** 32 - 1 - mask) }];
    });
}

function littleEndian(hex: string): number {
  return Buffer.from(hex.padStart(8, "0"), "hex").readUInt32LE();
}

function rangeOf(subnet: string): Range {
  const [address = "", length = "32"] = subnet.split("/");
  const first = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first, last: first + 2 ** (32 - Number(length)) - 1 };
}

/** The CNI configuration of one instance. Without address translation, nothing of it needs iptables. */
export function networkConfiguration(bridge: string, subnet: string, dataFolder: string): string {
  return JSON.stringify(
    {
      cniVersion: "0.4.0",
      name: bridge,
      plugins: [
        {
          type: "bridge",
          bridge,
          isGateway: true,
          ipam: { type: "host-local", dataDir: dataFolder, ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] },
        },
      ],
    },
    null,
    2,
  );
}

export function readForwarding(): string {
  return readFileSync(forwardingFile, "utf8").trim();
}

export function restoreForwarding(value: string): void {
  if (readForwarding() !== value) writeFileSync(forwardingFile, value);
}

/** Deletes a bridge, and before it the ends of the pods' links that hang on it. */
export function deleteBridge(bridge: string, busybox: string): void {
  const folder = `/sys/class/net/${bridge}`;
  if (!existsSync(folder)) return;
  // Deleted one by one: the kernel takes its time to remove the network namespaces that hold the other ends.
  for (const port of readdirSync(`${folder}/brif`)) deleteLink(port, busybox);
  deleteLink(bridge, busybox);
  if (existsSync(folder)) throw new Error(`The bridge ${bridge} could not be deleted.`);
}

function deleteLink(link: string, busybox: string): void {
  const attempts: [string, string[]][] = [
    [busybox, ["ip", "link", "del", "dev", link]],
    ["ip", ["link", "del", "dev", link]],
  ];
  for (const [program, args] of attempts) {
    if (!existsSync(`/sys/class/net/${link}`)) return;
    spawnSync(program, args, { stdio: "ignore" });
  }
}
