import { refuse } from "../../input/check.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";

/** Sysctls that every pod may set: they affect this pod only. As in Kubernetes 1.32 and later. */
const safe: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);

/**
 * Returns the sysctls of a pod.
 *
 * @throws InvalidInputError that names a sysctl which is unsafe and not allowed by the node, or which the pod has no namespace for
 */
export function sysctlsOf({ spec }: PodManifest, node: NodeConfig): Record<string, string> {
  const sysctls: Record<string, string> = {};
  for (const [index, { name, value }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const field = `spec.securityContext.sysctls[${index}].name`;
    const dotted = toDots(name);
    check(dotted, field, spec, node);
    sysctls[dotted] = value;
  }
  return sysctls;
}

function check(name: string, field: string, spec: PodManifest["spec"], node: NodeConfig): void {
  const namespace = namespaceOf(name);
  if (namespace === undefined) refuse(field, `${name} affects the whole node; set it on the node, not in a pod`);
  if (namespace === "net" && spec.hostNetwork === true) {
    refuse(field, `${name} needs a network of the pod's own: drop hostNetwork or the sysctl`);
  }
  if (namespace === "ipc" && spec.hostIPC === true) {
    refuse(field, `${name} needs an IPC namespace of the pod's own: drop hostIPC or the sysctl`);
  }
  if (!safe.has(name) && !node.allowedUnsafeSysctls.some((pattern) => matches(name, toDots(pattern)))) {
    refuse(field, `${name} is not safe; to allow it, add it to the node's allowedUnsafeSysctls`);
  }
}

/** Returns the kind of namespace that a sysctl belongs to. */
function namespaceOf(name: string): "net" | "ipc" | undefined {
  if (name.startsWith("net.")) return "net";
  return name === "kernel.sem" || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(name) ? "ipc" : undefined;
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Converts `net/ipv4/ip_forward` to `net.ipv4.ip_forward`. The first separator decides, because interfaces may contain dots. */
function toDots(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === "/" ? name.replace(/[./]/g, (character) => (character === "/" ? "." : "/")) : name;
}
