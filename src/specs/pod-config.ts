import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import {
  absolutePath,
  applyPatch,
  flag,
  integer,
  invalid,
  list,
  maxFileName,
  maxUint32,
  objectName,
  oneOf,
  optionalPath,
  optionalString,
  refuse,
  requiredString,
  stringMap,
} from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import {
  type DNSConfig,
  NamespaceMode,
  PodSandboxConfig,
  type PodSandboxMetadata,
  type PortMapping,
  Protocol,
} from "../proto.js";
import { toNamespaceOption } from "./namespaces.js";
import type { DnsSpec, PodSpec, PortSpec } from "./pod-spec.js";
import { toLinuxResources, toOverhead } from "./resources.js";
import { toPodSecurity } from "./security.js";
import { toWindowsSecurity } from "./windows-security.js";

/** A pod's configuration for RunPodSandbox, and its grace period and log directory, which the client uses later. */
export interface ConvertedPod {
  config: PodSandboxConfig;
  runtimeHandler: string;
  terminationGracePeriodSeconds: number | undefined;
  /** The log directory that belongs to this pod alone and is removed with it. */
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

/** Settings that have no meaning on Windows. */
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

/** Converts a pod spec to the arguments of RunPodSandbox. Does not change the spec, and the message shares no objects with it. */
export function toPodSandboxConfig(given: PodSpec): ConvertedPod {
  const spec = new ObjectReader(given, "spec", fields);
  const name = spec.read("name", objectName);
  const metadata = {
    name,
    namespace: spec.optional("namespace", objectName) ?? "default",
    uid: spec.optional("uid", podUid) ?? randomUUID(),
    attempt: spec.read("attempt", integer, 0, maxUint32, 0),
  };
  const logDirectory = spec.read("logDirectory", toLogDirectory, metadata);
  const config = PodSandboxConfig.create({
    metadata,
    hostname: hostname(spec, name),
    logDirectory,
    dnsConfig: spec.optional("dns", toDns),
    portMappings: spec.read("ports", toPortMappings),
    labels: spec.read("labels", stringMap),
    annotations: spec.read("annotations", stringMap),
    ...(spec.isSet("windows") ? windowsPart(spec) : linuxPart(spec)),
  });
  const converted = {
    config,
    runtimeHandler: spec.read("runtimeHandler", optionalString),
    terminationGracePeriodSeconds: spec.optional("terminationGracePeriodSeconds", gracePeriod),
  };
  spec.optional("patch", applyPatch, config);
  const isOwn = typeof given.logDirectory === "object" && config.logDirectory === logDirectory;
  return isOwn ? { ...converted, ownLogDirectory: logDirectory } : converted;
}

type PodIdentity = Pick<PodSandboxMetadata, "namespace" | "name" | "uid">;

/** Returns the name that a kubelet gives to the log directory of a pod. All attempts of a pod share the directory. */
export function logDirectoryName({ namespace, name, uid }: PodIdentity): string {
  return `${namespace}_${name}_${uid}`;
}

/** Returns the log directory: the given path, or the directory below a root that a kubelet would use for the pod. */
function toLogDirectory(value: PodSpec["logDirectory"], field: string, pod: PodIdentity): string {
  if (typeof value !== "object" || value === null) return optionalPath(value, field);
  const root = new ObjectReader(value, field, { root: true }).read("root", absolutePath);
  const folder = logDirectoryName(pod);
  const bytes = Buffer.byteLength(folder);
  if (bytes > maxFileName) {
    refuse(
      field,
      `would be a folder with a name of ${bytes} bytes, at most ${maxFileName}; give the path of a directory instead`,
    );
  }
  return `${root.replace(/(?<=.)\/+$/, "").replace(/^\/$/, "")}/${folder}`;
}

/** Checks the number of seconds between stop signal and SIGKILL: a whole number in the range that StopContainer accepts. */
export function gracePeriod(value: number, field: string): number {
  return integer(value, field, 0, 2 ** 31 - 1, 0);
}

function linuxPart(spec: ObjectReader<PodSpec>) {
  const namespaces = toNamespaceOption(spec);
  return {
    linux: {
      cgroupParent: spec.read("cgroupParent", optionalString),
      sysctls: spec.read("sysctls", toSysctls),
      securityContext: spec.read("security", toPodSecurity, namespaces),
      resources: spec.read("resources", toLinuxResources),
      overhead: spec.read("overhead", toOverhead),
    },
  };
}

function windowsPart(spec: ObjectReader<PodSpec>) {
  for (const key of linuxOnly) {
    if (spec.isSet(key)) spec.refuse(key, "is for Linux and cannot be combined with spec.windows");
  }
  const network = spec.read("hostNetwork", flag) ? NamespaceMode.NODE : NamespaceMode.POD;
  const windows = spec.read("windows", toWindowsSecurity);
  return { windows: { securityContext: { ...windows, namespaceOptions: { network } } } };
}

// Runtimes use the uid in names, and kubelets use it in paths.
function podUid(value: unknown, field: string): string {
  const uid = requiredString(value, field);
  return /[\s/]/.test(uid) ? invalid(field, "must not contain white space or '/'", uid) : uid;
}

const maxHostname = 63;

function hostname(spec: ObjectReader<PodSpec>, name: string): string {
  const given = spec.read("hostname", optionalString);
  if (spec.read("hostNetwork", flag)) {
    if (given === "") return "";
    spec.refuse("hostname", "cannot be set with hostNetwork: the host name is the node's");
  }
  if (given === "") {
    const derived = name.replace(/[^A-Za-z0-9.-]/g, "-").slice(0, maxHostname);
    // A hyphen must not be next to a dot, and the name must not end with a hyphen or a dot.
    return derived.replace(/[.-]*\.[.-]*/g, ".").replace(/[.-]+$/, "");
  }
  const label = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
  if (given.length > maxHostname || !new RegExp(`^${label}(\\.${label})*$`).test(given)) {
    invalid(
      spec.path("hostname"),
      "must be a host name of RFC 1123 (letters, digits, '-' and '.') of at most 63 characters",
      given,
    );
  }
  return given;
}

const protocols = { TCP: Protocol.TCP, UDP: Protocol.UDP, SCTP: Protocol.SCTP };

function toPortMappings(ports: readonly PortSpec[] | undefined, field: string): PortMapping[] {
  const mappedBy = new Map<string, string>();
  return list(ports, field, (entry, path) => {
    const port = new ObjectReader(entry, path, { containerPort: true, hostPort: true, protocol: true, hostIP: true });
    if (!port.isSet("containerPort")) port.refuse("containerPort", "is required");
    const mapping = {
      containerPort: port.read("containerPort", integer, 1, 65_535, 0),
      hostPort: port.read("hostPort", integer, 1, 65_535, 0),
      protocol: port.read("protocol", oneOf, protocols, Protocol.TCP),
      hostIp: port.read("hostIP", ipAddress),
    };
    const key = `${mapping.hostPort}/${mapping.protocol}/${mapping.hostIp}`;
    const earlier = mappedBy.get(key);
    if (mapping.hostPort !== 0 && earlier !== undefined)
      invalid(port.path("hostPort"), `is already used by ${earlier}`, mapping.hostPort);
    mappedBy.set(key, path);
    return mapping;
  });
}

function ipAddress(value: unknown, field: string): string {
  const address = optionalString(value, field);
  return address === "" || isIP(address) !== 0 ? address : invalid(field, "must be an IP address", address);
}

function toDns(spec: DnsSpec, field: string): DNSConfig {
  const dns = new ObjectReader(spec, field, { servers: true, searches: true, options: true });
  return {
    servers: dns.read("servers", list, nameServer),
    searches: dns.read("searches", list, resolverEntry),
    options: dns.read("options", list, resolverEntry),
  };
}

function nameServer(value: unknown, field: string): string {
  return ipAddress(resolverEntry(value, field), field);
}

/** Checks an entry of `/etc/resolv.conf`, where white space separates entries. */
function resolverEntry(value: unknown, field: string): string {
  const entry = requiredString(value, field);
  return /\s/.test(entry) ? invalid(field, "must not contain white space", entry) : entry;
}

function toSysctls(sysctls: Readonly<Record<string, string>> | undefined, field: string): Record<string, string> {
  const given = stringMap(sysctls, field);
  for (const name of Object.keys(given)) {
    // "net.ipv4.conf.eth0/1.forwarding" and "net/ipv4/…" are both valid: '.' and '/' both separate.
    if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/.test(name) || name.length > 253) {
      refuse(fieldPath(field, name), 'is not the name of a kernel parameter such as "net.core.somaxconn"');
    }
  }
  return given;
}
