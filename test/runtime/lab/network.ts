/**
 * The network of each instance: its own bridge and a free subnet.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const forwardingFile = "/proc/sys/net/ipv4/ip_forward";
/** Gives each instance 4,094 addresses. */
const prefixLength = 20;

interface Range {
  first: number;
  last: number;
}

/** Chooses a free subnet at random, so that labs that start at the same time rarely choose the same one. */
export function chooseSubnet(taken: readonly string[]): string {
  const occupied = [...routedRanges(), ...taken.map(rangeOf)];
  for (let attempt = 0; attempt < 1000; attempt++) {
    const subnet = `10.${randomInt(100, 250)}.${randomInt(0, 16) * 16}.0/${prefixLength}`;
    const range = rangeOf(subnet);
    if (occupied.every((other) => other.last < range.first || range.last < other.first)) return subnet;
  }
  throw new Error("there is no free subnet for a bridge between 10.100.0.0 and 10.249.255.255");
}

/** Lists the ranges that this machine has routes to, without the default route. */
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

/** Returns the CNI configuration of one instance. It has no address translation, which would need iptables. */
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

/** Lists the names of the network interfaces. Does not use /sys, which may belong to another network namespace. */
export function networkInterfaces(): string[] {
  return readFileSync("/proc/self/net/dev", "utf8")
    .split("\n")
    .slice(2)
    .flatMap((line) => (line.includes(":") ? [line.slice(0, line.indexOf(":")).trim()] : []));
}

/** Deletes a bridge and the pods' interfaces that are attached to it. */
export function deleteBridge(bridge: string, busybox: string): void {
  if (!networkInterfaces().includes(bridge)) return;
  // The kernel removes the network namespaces with the other ends asynchronously, so the interfaces are deleted here.
  for (const port of portsOf(bridge, busybox)) ipLink(["del", "dev", port], busybox);
  ipLink(["del", "dev", bridge], busybox);
  if (networkInterfaces().includes(bridge)) throw new Error(`could not delete the bridge ${bridge}`);
}

function portsOf(bridge: string, busybox: string): string[] {
  return ipLink(["show"], busybox)
    .split("\n")
    .filter((line) => line.includes(` master ${bridge} `))
    .flatMap((line) => /^\d+: ([^:@\s]+)/.exec(line)?.[1] ?? []);
}

/** Runs `ip link` of busybox, or of the machine if busybox is no longer in the cache. */
function ipLink(args: readonly string[], busybox: string): string {
  const own = spawnSync(busybox, ["ip", "link", ...args], { encoding: "utf8" });
  const done = own.error === undefined ? own : spawnSync("ip", ["link", ...args], { encoding: "utf8" });
  return done.stdout ?? "";
}
