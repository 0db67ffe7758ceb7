import type {
  DnsConfigManifest,
  DnsPolicyName,
  HostAliasManifest,
  PodManifest,
  PodManifestSpec,
} from "../../manifest/pod.js";
import { containersInPod } from "../rules/containers.js";
import { dnsRules } from "../rules/dns.js";
import { hostnameRules, namespaceRules } from "../rules/hosts.js";
import { dnsLabel, dnsSubdomain, ipAddress, searchDomain } from "../rules/names.js";
import { portsInPod } from "../rules/ports.js";
import { containerResource, podWithinContainers } from "../rules/resources.js";
import { sysctlsInPod } from "../rules/security.js";
import { list } from "./collections.js";
import { container, restartPolicy } from "./container.js";
import { metadata } from "./metadata.js";
import { object, required } from "./object.js";
import { localReference } from "./references.js";
import { podResources, resourceList } from "./resources.js";
import { boolean, integer, maxInt32, oneOf, string } from "./scalars.js";
import type { Schema } from "./schema.js";
import { podSecurityContext } from "./security.js";
import { volume } from "./volume.js";

const dnsConfig = object<DnsConfigManifest>({
  nameservers: list(string(ipAddress), { max: 3 }),
  searches: list(string(searchDomain), { max: 32 }),
  options: list(
    object<NonNullable<DnsConfigManifest["options"]>[number]>({ name: required(string()), value: string() }),
  ),
});

const hostAlias = object<HostAliasManifest>({
  ip: required(string(ipAddress)),
  hostnames: required(list(string(dnsSubdomain))),
});

const dnsPolicies: Readonly<Record<DnsPolicyName, true>> = {
  ClusterFirst: true,
  ClusterFirstWithHostNet: true,
  Default: true,
  None: true,
};

const scheduling = "chooses a node; there is only one";

/** The `spec` of a pod: all fields of Kubernetes 1.36. */
export const podSpec: Schema<PodManifestSpec> = object<PodManifestSpec>(
  {
    containers: required(list(container, { min: 1 })),
    initContainers: list(container),
    volumes: list(volume, { uniqueBy: "name" }),
    restartPolicy,
    terminationGracePeriodSeconds: integer(0, Number.MAX_SAFE_INTEGER),
    activeDeadlineSeconds: integer(1, maxInt32),
    dnsPolicy: oneOf(dnsPolicies),
    dnsConfig,
    hostname: string(dnsLabel),
    subdomain: string(dnsLabel),
    setHostnameAsFQDN: boolean,
    hostnameOverride: string((name) => (name.length > 64 ? "must have at most 64 characters" : dnsSubdomain(name))),
    hostAliases: list(hostAlias),
    hostNetwork: boolean,
    hostPID: boolean,
    hostIPC: boolean,
    hostUsers: boolean,
    shareProcessNamespace: boolean,
    securityContext: podSecurityContext,
    resources: podResources,
    runtimeClassName: string(dnsSubdomain),
    overhead: resourceList(containerResource),
    imagePullSecrets: list(localReference),
    serviceAccountName: string(dnsSubdomain),
    automountServiceAccountToken: boolean,
    enableServiceLinks: boolean,
    os: object<NonNullable<PodManifestSpec["os"]>>({ name: required(oneOf<"linux">({ linux: true })) }),
    nodeName: string(dnsSubdomain),
    priorityClassName: string(dnsSubdomain),
    priority: integer(-(2 ** 31), maxInt32),
  },
  {
    aliases: { serviceAccount: "serviceAccountName" },
    ignored: {
      affinity: scheduling,
      nodeSelector: scheduling,
      tolerations: scheduling,
      topologySpreadConstraints: scheduling,
      schedulerName: scheduling,
      schedulingGates: scheduling,
      schedulingGroup: scheduling,
      workloadRef: scheduling,
      preemptionPolicy: "pods do not displace each other here",
      readinessGates: "its conditions are set by controllers of a cluster",
      evictionResponders: "pods are not evicted here",
    },
    refused: {
      ephemeralContainers: "they are added to a running pod; run commands with `exec`",
      resourceClaims: "devices are allocated by a cluster",
    },
  },
  containersInPod,
  portsInPod,
  dnsRules,
  hostnameRules,
  namespaceRules,
  sysctlsInPod,
  podWithinContainers,
);

const kind = oneOf<"Pod">({ Pod: true });

export const pod: Schema<PodManifest> = object<PodManifest>(
  {
    apiVersion: required(oneOf<"v1">({ v1: true })),
    kind: required(kind),
    metadata: required(metadata(dnsSubdomain)),
    spec: required(podSpec),
  },
  { ignored: { status: "reported by a cluster" } },
);
