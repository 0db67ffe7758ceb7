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
  const { nameservers, searches, options } = merge(policySettings(pod, node), pod.spec.dnsConfig ?? {});
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
  if (!usesCluster || node.clusterDns.length === 0) return node.resolver;
  const { clusterDomain: domain } = node;
  const cluster = domain === "" ? [] : [`${namespaceOf({ pod })}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    nameservers: node.clusterDns,
    searches: unique([...cluster, ...node.resolver.searches]),
    options: ["ndots:5"],
  };
}

function merge(base: ResolverConfig, { nameservers, searches, options }: DnsConfigManifest): ResolverConfig {
  return {
    nameservers: nameservers ? unique([...base.nameservers, ...nameservers]) : base.nameservers,
    searches: searches ? unique([...base.searches, ...searches]) : base.searches,
    options: options ? mergeOptions(base.options, options) : base.options,
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
