import { describe, expect, it } from "vitest";
import { hostsFileOf } from "../../../../src/kubernetes/planning/hosts-file.js";
import { contextOf } from "./pod-context.js";

const hostAliases = [
  { ip: "10.1.2.3", hostnames: ["foo.local", "bar.local"] },
  { ip: "fd00::1", hostnames: ["six"] },
];

/** Returns the lines of the file without comments and empty lines, as lists of words. */
function entries(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.split("\t"));
}

describe("the hosts file of a pod", () => {
  it("contains localhost, the pod's addresses and its aliases", () => {
    const file = hostsFileOf(contextOf({ hostAliases }), ["10.0.0.5", "fd00::5"]);
    expect(file).toMatchObject({ path: "/pods/uid/etc-hosts", nodeHosts: false });
    expect(entries(file!.head)).toEqual([
      ["127.0.0.1", "localhost"],
      ["::1", "localhost ip6-localhost ip6-loopback"],
      ["fe00::0", "ip6-localnet"],
      ["fe00::0", "ip6-mcastprefix"],
      ["fe00::1", "ip6-allnodes"],
      ["fe00::2", "ip6-allrouters"],
      ["10.0.0.5", "web"],
      ["fd00::5", "web"],
    ]);
    expect(entries(file!.tail)).toEqual([
      ["10.1.2.3", "foo.local", "bar.local"],
      ["fd00::1", "six"],
    ]);
  });

  it("contains the domain of the pod before its name", () => {
    const file = hostsFileOf(contextOf({}, { hostDomain: "sub.shop.svc.cluster.local" }), ["10.0.0.5"]);
    expect(entries(file!.head).at(-1)).toEqual(["10.0.0.5", "web.sub.shop.svc.cluster.local", "web"]);
    expect(file!.tail).toBe("");
  });

  it("surrounds the node's file with hostNetwork", () => {
    const file = hostsFileOf(contextOf({ hostNetwork: true, hostAliases }), []);
    expect(file?.nodeHosts).toBe(true);
    expect(entries(file!.head)).toEqual([]);
    expect(entries(file!.tail)).toHaveLength(2);
  });

  it("does not exist before the pod has an address", () => {
    expect(hostsFileOf(contextOf({ hostAliases }), [])).toBeUndefined();
  });
});
