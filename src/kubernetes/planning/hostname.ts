import { refuse } from "../../input/check.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import { namespaceOf } from "./pod-context.js";

/** The longest host name of a pod; the kernel's limit without its NUL. */
const maxHostname = 63;
/** The longest fully qualified host name that the kernel accepts. */
const maxKernelName = 64;

/** Returns the host name of a pod and the domain that its hosts file adds to it. */
export function hostnameOf(pod: PodManifest, node: NodeConfig): { hostname: string; hostDomain: string } {
  const { hostname = pod.metadata.name, hostnameOverride, subdomain } = pod.spec;
  if (hostnameOverride !== undefined) return { hostname: hostnameOverride, hostDomain: "" };
  // Without a cluster domain, it ends with a dot, as with a kubelet.
  const hostDomain = subdomain ? `${subdomain}.${namespaceOf({ pod })}.svc.${node.clusterDomain}` : "";
  return { hostname: cut(hostname === "" ? pod.metadata.name : hostname), hostDomain };
}

function cut(name: string): string {
  return name.length <= maxHostname ? name : name.slice(0, maxHostname).replace(/[-.]+$/, "");
}

/** Returns the host name that the sandbox sets. Empty with `hostNetwork`, because the pod then has the node's name. */
export function kernelName(pod: PodManifest, node: NodeConfig): string {
  const { hostNetwork, setHostnameAsFQDN } = pod.spec;
  if (hostNetwork === true) return "";
  const { hostname, hostDomain } = hostnameOf(pod, node);
  if (setHostnameAsFQDN !== true || hostDomain === "") return hostname;
  const name = `${hostname}.${hostDomain}`;
  if (name.length > maxKernelName) {
    refuse(
      "spec.setHostnameAsFQDN",
      `the host name ${name} has ${name.length} characters, at most ${maxKernelName}; use a shorter hostname or subdomain`,
    );
  }
  return name;
}
