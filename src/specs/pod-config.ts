import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import {
  type DNSConfig,
  NamespaceMode,
  PodSandboxConfig,
  type PodSandboxMetadata,
  type PortMapping,
  Protocol,
  type WindowsContainerSecurityContext,
} from "../proto.js";
import {
  absolutePath,
  applyPatch,
  at,
  type FieldsOf,
  flag,
  integer,
  invalid,
  isSet,
  list,
  maxFileName,
  maxUint32,
  object,
  objectName,
  optionalPath,
  refuse,
  requiredText,
  text,
  textMap,
  word,
  words,
} from "./check.js";
import { toNamespaceOption } from "./namespaces.js";
import type { DnsSpec, PodSpec, PortSpec, WindowsSpec } from "./pod-spec.js";
import { toLinuxResources, toOverhead } from "./resources.js";
import { toPodSecurity } from "./security.js";

/** What RunPodSandbox takes, and what stopping needs to know later. */
export interface ConvertedPod {
  config: PodSandboxConfig;
  runtimeHandler: string;
  terminationGracePeriodSeconds: number | undefined;
  /** The log directory that is this pod's alone, to be removed with it. */
  ownLogDirectory?: string | undefined;
}

const fields: FieldsOf<PodSpec> = {
  name: true,
  namespace: true,
  uid: true,
  attempt: true,
  labels: true,
  annotations: true,
  logDirectory: true,
  hostname: true,
  ports: true,
  dns: true,
  runtimeHandler: true,
  hostNetwork: true,
  hostPID: true,
  hostIPC: true,
  shareProcessNamespace: true,
  userNamespace: true,
  sysctls: true,
  cgroupParent: true,
  security: true,
  resources: true,
  overhead: true,
  windows: true,
  terminationGracePeriodSeconds: true,
  patch: true,
};

/** Settings that mean nothing on Windows. */
const linuxOnly = [
  "hostPID",
  "hostIPC",
  "shareProcessNamespace",
  "userNamespace",
  "sysctls",
  "cgroupParent",
  "security",
  "resources",
  "overhead",
] as const satisfies readonly (keyof PodSpec)[];

/** A uid for a pod that was given none. */
export function randomUid(): string {
  return randomUUID();
}

/** From a pod spec to the wire. The spec is not changed, and the message shares nothing with it. */
export function toPodSandboxConfig(spec: PodSpec): ConvertedPod {
  const field = "spec";
  object(spec, field, fields);
  const name = objectName(spec.name, "spec.name");
  const metadata = {
    name,
    namespace: isSet(spec.namespace) ? objectName(spec.namespace, "spec.namespace") : "default",
    uid: isSet(spec.uid) ? podUid(spec.uid, "spec.uid") : randomUid(),
    attempt: integer(spec.attempt, "spec.attempt", 0, maxUint32, 0),
  };
  const logDirectory = toLogDirectory(spec.logDirectory, "spec.logDirectory", metadata);
  const config = PodSandboxConfig.create({
    metadata,
    hostname: hostname(spec, name),
    logDirectory,
    dnsConfig: toDns(spec.dns, "spec.dns"),
    portMappings: toPortMappings(spec.ports, "spec.ports"),
    labels: textMap(spec.labels, "spec.labels"),
    annotations: textMap(spec.annotations, "spec.annotations"),
    ...(isSet(spec.windows) ? windowsPart(spec, spec.windows) : linuxPart(spec, field)),
  });
  const converted = {
    config,
    runtimeHandler: text(spec.runtimeHandler, "spec.runtimeHandler"),
    terminationGracePeriodSeconds: gracePeriod(
      spec.terminationGracePeriodSeconds,
      "spec.terminationGracePeriodSeconds",
    ),
  };
  applyPatch(spec.patch, "spec.patch", config);
  const isOwn = typeof spec.logDirectory === "object" && config.logDirectory === logDirectory;
  return isOwn ? { ...converted, ownLogDirectory: logDirectory } : converted;
}

type PodIdentity = Pick<PodSandboxMetadata, "namespace" | "name" | "uid">;

/** What a kubelet calls the log directory of a pod. All attempts of a pod share it. */
export function logDirectoryName({ namespace, name, uid }: PodIdentity): string {
  return `${namespace}_${name}_${uid}`;
}

/** The log directory: the path as it is, or the one that a kubelet gives to a pod below a root. */
function toLogDirectory(value: PodSpec["logDirectory"], field: string, pod: PodIdentity): string {
  if (typeof value !== "object" || value === null) return optionalPath(value, field);
  const root = absolutePath(object(value, field, { root: true }).root, at(field, "root"));
  const folder = logDirectoryName(pod);
  if (Buffer.byteLength(folder) > maxFileName) {
    const bytes = Buffer.byteLength(folder);
    refuse(
      field,
      `would be a folder with a name of ${bytes} bytes, at most ${maxFileName}; give the path of a directory instead`,
    );
  }
  return `${root.replace(/(?<=.)\/+$/, "").replace(/^\/$/, "")}/${folder}`;
}

/** Seconds between stop signal and SIGKILL, as whole seconds: what StopContainer takes. */
export function gracePeriod(value: number | undefined, field: string): number | undefined {
  return isSet(value) ? integer(value, field, 0, 2 ** 31 - 1, 0) : undefined;
}

function linuxPart(spec: PodSpec, field: string) {
  return {
    linux: {
      cgroupParent: text(spec.cgroupParent, "spec.cgroupParent"),
      sysctls: toSysctls(spec.sysctls, "spec.sysctls"),
      securityContext: toPodSecurity(spec.security, "spec.security", toNamespaceOption(spec, field)),
      resources: toLinuxResources(spec.resources, "spec.resources"),
      overhead: toOverhead(spec.overhead, "spec.overhead"),
    },
  };
}

function windowsPart(spec: PodSpec, windows: WindowsSpec) {
  for (const key of linuxOnly) {
    if (isSet(spec[key])) refuse(at("spec", key), "is for Linux and cannot stand beside spec.windows");
  }
  const network = flag(spec.hostNetwork, "spec.hostNetwork") ? NamespaceMode.NODE : NamespaceMode.POD;
  const securityContext = toWindowsSecurity(windows, "spec.windows", false);
  return { windows: { securityContext: { ...securityContext, namespaceOptions: { network } } } };
}

/** What {@link WindowsSpec} may contain. */
export const windowsFields: FieldsOf<WindowsSpec> = { runAsUserName: true, credentialSpec: true, hostProcess: true };

/** The Windows security context that pods and containers have in common. */
export function toWindowsSecurity<T extends WindowsSpec>(
  spec: T | undefined,
  field: string,
  hostProcess: boolean,
  fields: FieldsOf<T> = windowsFields as FieldsOf<T>,
): WindowsContainerSecurityContext {
  const given: WindowsSpec = isSet(spec) ? object(spec, field, fields) : {};
  const credentialSpec = given.credentialSpec;
  // Kept out of errors like any other credential.
  if (isSet(credentialSpec) && typeof credentialSpec !== "string")
    refuse(at(field, "credentialSpec"), "must be a string");
  return {
    runAsUsername: text(given.runAsUserName, at(field, "runAsUserName")),
    credentialSpec: credentialSpec ?? "",
    hostProcess: isSet(given.hostProcess) ? flag(given.hostProcess, at(field, "hostProcess")) : hostProcess,
  };
}

// Ends up in names of runtimes and, at a kubelet's, in paths.
function podUid(value: unknown, field: string): string {
  const uid = requiredText(value, field);
  return /[\s/]/.test(uid) ? invalid(field, "must not contain white space or '/'", uid) : uid;
}

const maxHostname = 63;

function hostname(spec: PodSpec, name: string): string {
  const given = text(spec.hostname, "spec.hostname");
  if (flag(spec.hostNetwork, "spec.hostNetwork")) {
    if (given === "") return "";
    refuse("spec.hostname", "cannot be set with hostNetwork: the host name is the node's");
  }
  if (given === "") {
    const made = name.replace(/[^A-Za-z0-9.-]/g, "-").slice(0, maxHostname);
    // Dots and hyphens must not meet or stand at an end.
    return made.replace(/[.-]*\.[.-]*/g, ".").replace(/[.-]+$/, "");
  }
  const label = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
  if (given.length > maxHostname || !new RegExp(`^${label}(\\.${label})*$`).test(given)) {
    invalid(
      "spec.hostname",
      "must be a host name of RFC 1123 (letters, digits, '-' and '.') of at most 63 characters",
      given,
    );
  }
  return given;
}

const protocols = { TCP: Protocol.TCP, UDP: Protocol.UDP, SCTP: Protocol.SCTP };

function toPortMappings(ports: readonly PortSpec[] | undefined, field: string): PortMapping[] {
  const taken = new Map<string, string>();
  return list(ports, field).map((entry, index) => {
    const path = at(field, index);
    const port = object(entry, path, { containerPort: true, hostPort: true, protocol: true, hostIP: true });
    if (!isSet(port.containerPort)) refuse(at(path, "containerPort"), "is required");
    const mapping = {
      containerPort: integer(port.containerPort, at(path, "containerPort"), 1, 65_535, 0),
      hostPort: integer(port.hostPort, at(path, "hostPort"), 1, 65_535, 0),
      protocol: word(port.protocol, at(path, "protocol"), protocols, Protocol.TCP),
      hostIp: text(port.hostIP, at(path, "hostIP")),
    };
    if (mapping.hostIp !== "" && isIP(mapping.hostIp) === 0)
      invalid(at(path, "hostIP"), "must be an IP address", mapping.hostIp);
    const key = `${mapping.hostPort}/${mapping.protocol}/${mapping.hostIp}`;
    const earlier = taken.get(key);
    if (mapping.hostPort !== 0 && earlier !== undefined)
      invalid(at(path, "hostPort"), `is taken by ${earlier}`, mapping.hostPort);
    taken.set(key, path);
    return mapping;
  });
}

function toDns(spec: DnsSpec | undefined, field: string): DNSConfig | undefined {
  if (!isSet(spec)) return undefined;
  const given = object(spec, field, { servers: true, searches: true, options: true });
  const entries = (key: keyof DnsSpec) =>
    words(given[key], at(field, key)).map((entry, index) =>
      /\s/.test(entry) ? invalid(at(at(field, key), index), "must not contain white space", entry) : entry,
    );
  const servers = entries("servers");
  for (const [index, server] of servers.entries()) {
    if (isIP(server) === 0) invalid(at(at(field, "servers"), index), "must be an IP address", server);
  }
  return { servers, searches: entries("searches"), options: entries("options") };
}

function toSysctls(sysctls: Readonly<Record<string, string>> | undefined, field: string): Record<string, string> {
  const given = textMap(sysctls, field);
  for (const name of Object.keys(given)) {
    // "net.ipv4.conf.eth0/1.forwarding" and "net/ipv4/…" are both right: either of '.' and '/' separates.
    if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/.test(name) || name.length > 253) {
      refuse(at(field, name), 'is not the name of a kernel parameter such as "net.core.somaxconn"');
    }
  }
  return given;
}
