import { describe, expect, test } from "vitest";
import type { NodeConfig, PodManifestSpec } from "../../../../src/kubernetes/index.js";
import { planOf, sandboxOf } from "./plan-of.js";

function dnsOf(spec: Partial<PodManifestSpec>, node: Partial<NodeConfig> = {}) {
  return sandboxOf(planOf(spec, { node })).dnsConfig!;
}

const cluster = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"];
const resolver = { nameservers: ["203.0.113.53"], searches: ["example.org"], options: ["ndots:3"] };

describe("the DNS policy", () => {
  test.each<[string, Partial<PodManifestSpec>, object]>([
    [
      "ClusterFirst, the default, uses the DNS of the cluster",
      {},
      { servers: ["10.96.0.10"], searches: [...cluster, "example.org"], options: ["ndots:5"] },
    ],
    [
      "ClusterFirst falls back to the node's DNS with hostNetwork",
      { hostNetwork: true },
      { servers: resolver.nameservers, searches: resolver.searches, options: resolver.options },
    ],
    [
      "ClusterFirstWithHostNet uses the DNS of the cluster with hostNetwork",
      { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
      { servers: ["10.96.0.10"], searches: [...cluster, "example.org"], options: ["ndots:5"] },
    ],
    [
      "None uses only dnsConfig",
      { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } },
      {
        servers: ["192.0.2.1"],
        searches: [],
        options: [],
      },
    ],
  ])("%s", (_, spec, expected) => {
    expect(dnsOf(spec, { resolver })).toEqual(expected);
  });

  test("ClusterFirst falls back to the node's DNS without a DNS server of the cluster", () => {
    expect(dnsOf({}, { resolver, clusterDns: [] }).servers).toEqual(["203.0.113.53"]);
  });

  test("without settings of the node, lookups stay on the node", () => {
    const none = { resolver: { nameservers: [], searches: [], options: [] } };
    expect(dnsOf({ dnsPolicy: "Default" }, none)).toEqual({ servers: ["127.0.0.1"], searches: ["."], options: [] });
    const addresses = ["2001:db8::10", "192.0.2.10"];
    expect(dnsOf({ dnsPolicy: "Default" }, { ...none, addresses }).servers).toEqual(["::1", "127.0.0.1"]);
    expect(dnsOf({ dnsPolicy: "Default" }, { ...none, addresses: [] }).servers).toEqual(["127.0.0.1"]);
    expect(dnsOf({}, none).searches).toEqual(cluster);
  });

  test("without a cluster domain, the node's searches remain", () => {
    expect(dnsOf({}, { resolver, clusterDomain: "" })).toMatchObject({
      servers: ["10.96.0.10"],
      searches: ["example.org"],
    });
  });
});

describe("dnsConfig", () => {
  test("adds servers and searches once, and replaces options of the same name", () => {
    const dnsConfig = {
      nameservers: ["10.96.0.10", "192.0.2.1"],
      searches: ["cluster.local", "extra.example"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    };
    expect(dnsOf({ dnsConfig }, { resolver })).toEqual({
      servers: ["10.96.0.10", "192.0.2.1"],
      searches: [...cluster, "example.org", "extra.example"],
      options: ["ndots:2", "edns0"],
    });
  });

  test("removes duplicates of the node's settings even if it is empty", () => {
    const doubled = {
      nameservers: ["192.0.2.1", "192.0.2.1"],
      searches: ["a", "b", "a"],
      options: ["ndots:1", "ndots:2"],
    };
    const ofNode = (spec: Partial<PodManifestSpec>) => dnsOf({ dnsPolicy: "Default", ...spec }, { resolver: doubled });
    expect(ofNode({ dnsConfig: {} })).toEqual({ servers: ["192.0.2.1"], searches: ["a", "b"], options: ["ndots:2"] });
    expect(ofNode({})).toEqual({ servers: doubled.nameservers, searches: doubled.searches, options: doubled.options });
  });

  test("drops what the resolver does not read: more than 3 servers, 32 searches or 2048 characters", () => {
    const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    const short = Array.from({ length: 40 }, (_, index) => `s${index}.example`);
    const long = Array.from({ length: 20 }, (_, index) => `${"x".repeat(200)}${index}.example`);
    const tooLong = `${"y".repeat(254)}.example`;
    const ofNode = (given: Partial<NodeConfig["resolver"]>) => {
      return dnsOf({ dnsPolicy: "Default" }, { resolver: { nameservers: [], searches: [], options: [], ...given } });
    };
    expect(ofNode({ nameservers }).servers).toEqual(nameservers.slice(0, 3));
    expect(ofNode({ searches: short }).searches).toEqual(short.slice(0, 32));
    expect(ofNode({ searches: long }).searches).toEqual(long.slice(0, 9));
    expect(ofNode({ searches: [tooLong, "a.example"] }).searches).toEqual(["a.example"]);
  });
});
