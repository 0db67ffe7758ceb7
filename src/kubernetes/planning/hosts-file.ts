import type { PodContext } from "./pod-context.js";
import type { HostsFilePlan } from "./pod-plan-types.js";

const header = "# The hosts file of this pod. The next start of a container overwrites changes.\n";

const localhost = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/**
 * Plans the hosts file of a pod: localhost, the pod's addresses, and `hostAliases`. With `hostNetwork`, the node's hosts file and
 * `hostAliases`. Undefined while a pod with a network of its own has no address; its containers then keep the file of their image.
 */
export function hostsFileOf(context: PodContext, podIPs: readonly string[]): HostsFilePlan | undefined {
  const { hostNetwork, hostAliases = [] } = context.pod.spec;
  if (!hostNetwork && podIPs.length === 0) return undefined;
  const lines = hostAliases.map(({ ip, hostnames }) => `${[ip, ...hostnames].join("\t")}\n`);
  return {
    path: hostsFilePath(context),
    head: hostNetwork
      ? header
      : header + localhost + podIPs.map((ip) => `${[ip, ...namesOf(context)].join("\t")}\n`).join(""),
    nodeHosts: hostNetwork === true,
    tail: lines.length === 0 ? "" : `\n# hostAliases of the pod\n${lines.join("")}`,
  };
}

/** Returns the path on the node of the pod's hosts file. */
export function hostsFilePath({ podDirectory }: PodContext): string {
  return `${podDirectory}/etc-hosts`;
}

function namesOf({ hostname, hostDomain }: PodContext): string[] {
  return hostDomain === "" ? [hostname] : [`${hostname}.${hostDomain}`, hostname];
}
