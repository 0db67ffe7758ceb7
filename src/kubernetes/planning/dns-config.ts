import { isIPv6 } from "node:net";
import { DNSConfig } from "../../proto.js";
import type { DnsConfigManifest, PodManifest } from "../manifest/pod.js";
import type { NodeConfig, ResolverConfig } from "../node/node-config.js";
import { namespaceOf } from "./pod-context.js";

/** What the resolver of the C library reads; the rest of the lists is dropped, as by a kubelet. */
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
/** Some resolvers abort on longer domains. */
const maxDomain = 253;

/** Returns the DNS settings of a pod: those of its policy, merged with its `dnsConfig`. */
export function dnsConfigOf(pod: PodManifest, node: NodeConfig): DNSConfig {
  const base = policySettings(pod, node);
  const { nameservers, searches, options } = pod.spec.dnsConfig ? merge(base, pod.spec.dnsConfig) : base;
  return DNSConfig.create({
    servers: nameservers.slice(0, maxNameservers),
    searches: withinLimits(searches),
    options: [...options],
  });
}

function policySettings(pod: PodManifest, node: NodeConfig): ResolverConfig {
  const { dnsPolicy = "ClusterFirst", hostNetwork } = pod.spec;
  if (dnsPolicy === "None") return { nameservers: [], searches: [], options: [] };
  const usesCluster = dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && hostNetwork !== true);
  if (!usesCluster || node.clusterDns.length === 0) return nodeSettings(node);
  const { clusterDomain: domain } = node;
  const cluster = [`${namespaceOf({ pod })}.svc.${domain}`, `svc.${domain}`, domain];
  const { searches } = node.resolver;
  return {
    nameservers: node.clusterDns,
    searches: domain === "" ? searches : unique([...cluster, ...searches]),
    options: ["ndots:5"],
  };
}

/** Returns the settings of the node. Without any, the runtime would use its own; as with a kubelet, lookups stay on the node. */
function nodeSettings({ resolver, addresses }: NodeConfig): ResolverConfig {
  if (Object.values(resolver).some((list: readonly string[]) => list.length > 0)) return resolver;
  const loopback = addresses.map((address) => (isIPv6(address) ? "::1" : "127.0.0.1"));
  return { nameservers: loopback.length > 0 ? loopback : ["127.0.0.1"], searches: ["."], options: [] };
}

/** Adds what a `dnsConfig` has. Even an empty one removes duplicates. */
function merge(
  base: ResolverConfig,
  { nameservers = [], searches = [], options = [] }: DnsConfigManifest,
): ResolverConfig {
  return {
    nameservers: unique([...base.nameservers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: mergeOptions(base.options, options),
  };
}

/** An option of the pod replaces one of the same name. */
function mergeOptions(base: readonly string[], options: NonNullable<DnsConfigManifest["options"]>): string[] {
  const values = new Map<string, string>();
  for (const option of base) {
    const colon = option.indexOf(":");
    if (colon < 0) values.set(option, "");
    else values.set(option.slice(0, colon), option.slice(colon + 1));
  }
  for (const { name, value } of options) values.set(name, value ?? "");
  return [...values].map(([name, value]) => (value === "" ? name : `${name}:${value}`));
}

function withinLimits(searches: readonly string[]): string[] {
  const kept = searches.slice(0, maxSearches).filter(({ length }) => length <= maxDomain);
  while (kept.join(" ").length > maxSearchCharacters) kept.pop();
  return kept;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
