/*
 * What a kubelet 1.36 sent for 76 pods, in a compact form: flat messages (a JSON pointer and its value), as differences from what
 * is common to the set. `null` means that the common value is absent. Placeholders stand for what differs from run to run.
 */
import { readFileSync } from "node:fs";
import type { KubernetesObjects, NodeConfig, PodManifest, ServiceAccountToken } from "../../src/kubernetes/index.js";

/** A message as JSON pointers with their values. Lists are values. */
export type FlatMessage = Readonly<Record<string, unknown>>;

/** One recorded pod, and what it has to be planned with. */
export interface Recording {
  set: string;
  pod: string;
  manifest: PodManifest;
  node: NodeConfig;
  objects: KubernetesObjects;
  tokens: readonly ServiceAccountToken[];
  podIPs: readonly string[];
  /** RunPodSandboxRequest. */
  sandbox: FlatMessage;
  /** ContainerConfig of each attempt. `/envs` is an object of strings. */
  containers: readonly { name: string; attempt: number; config: FlatMessage }[];
}

/** The id of an image, as recordings and {@link Recording} name it. */
export function imageId(reference: string): string {
  return `<image of ${reference}>`;
}

const uid = "01234567-89ab-8def-8123-456789abcdef";

interface RecordedSet {
  commonSandbox: FlatMessage;
  commonContainer: FlatMessage;
  pods: Record<
    string,
    {
      userNamespaceFirstId?: number;
      sandbox: FlatMessage;
      containers: Record<string, FlatMessage>;
    }
  >;
}

/** The node of the recordings: 2 CPUs and 24 GiB. */
export const recordedNode: NodeConfig = {
  rootDirectory: "/var/lib/kubelet",
  podLogsDirectory: "/var/log/pods",
  seccompDirectory: "/var/lib/kubelet/seccomp",
  nodeName: "node1",
  addresses: ["192.0.2.10"],
  capacity: { cpu: "2", memory: "24684084Ki", "ephemeral-storage": "264212084Ki", "hugepages-2Mi": "128Mi" },
  allocatable: { cpu: "2", memory: "24551988Ki", "ephemeral-storage": "267847642337", "hugepages-2Mi": "128Mi" },
  clusterDns: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  resolver: { nameservers: ["203.0.113.53"], searches: ["example.org", "corp.example"], options: ["ndots:3"] },
  cgroupDriver: "cgroupfs",
  cgroupVersion: 1,
  cgroupsPerQos: true,
  cgroupRoot: "/",
  seccompDefault: false,
  sharedCpus: "",
  cpuCfsQuota: true,
  cpuCfsQuotaPeriodMs: 100,
  swapBehavior: "NoSwap",
  swapController: true,
  swapCapacityBytes: 0,
  memoryQos: false,
  memoryThrottlingFactor: 0.9,
  memoryReservationPolicy: "None",
  containerStopSignals: false,
  singleProcessOomKill: undefined,
  podPidsLimit: -1,
  hugePageSizesBytes: [2 ** 21, 2 ** 30],
  recursiveReadOnlyMounts: { "": true, runc: true },
  allowedUnsafeSysctls: ["kernel.shm*", "net.*"],
  selinuxEnabled: false,
  userNamespaceFirstId: 65_536,
  userNamespaceRanges: 65_535,
  maxRestartDelayMs: 300_000,
};

/** A kubelet without API server never makes mounts recursively read-only. */
const standalone: Partial<NodeConfig> = { recursiveReadOnlyMounts: {} };
const version2: Partial<NodeConfig> = {
  ...standalone,
  cgroupVersion: 2,
  cgroupsPerQos: false,
  swapController: false,
};

/** How the kubelet of each set was configured. */
const settings: Readonly<Record<string, Partial<NodeConfig>>> = {
  "api-cgroup-v1": {},
  "static-cgroup-v1": standalone,
  "static-cgroup-v1-more": standalone,
  "static-cgroup-v1-config-variant": {
    ...standalone,
    seccompDefault: true,
    podPidsLimit: 100,
    // The static CPU manager had assigned CPU 1 to another pod.
    sharedCpus: "0",
  },
  "static-cgroup-v2": version2,
  "static-cgroup-v2-config-variant": {
    ...version2,
    seccompDefault: true,
    swapBehavior: "LimitedSwap",
    memoryQos: true,
    singleProcessOomKill: false,
    cpuCfsQuota: false,
  },
};

/** The other objects of the API server. */
const objects: KubernetesObjects = {
  configMaps: [
    {
      ...header("ConfigMap", "cm1", "default"),
      data: { color: "blue", size: "42", "bad-name.txt": "file" },
      binaryData: { bin: "AAEC" },
    },
    ...["default", "team-a", "team-b", "kube-system"].map((namespace) => ({
      ...header("ConfigMap", "kube-root-ca.crt", namespace),
      data: { "ca.crt": "certificate" },
    })),
  ],
  secrets: [
    { ...header("Secret", "sec1", "default"), stringData: { password: "s3cret", user: "admin" } },
    {
      ...header("Secret", "regcred", "default"),
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": '{"auths":{"registry.example":{"username":"u","password":"p"}}}' },
    },
  ],
  serviceAccounts: [header("ServiceAccount", "robot", "team-b")],
  runtimeClasses: [
    {
      apiVersion: "node.k8s.io/v1",
      kind: "RuntimeClass",
      metadata: { name: "special" },
      handler: "runc",
      overhead: { podFixed: { cpu: "25m", memory: "16Mi" } },
    },
  ],
  services: [
    { ...header("Service", "kubernetes", "default"), spec: { clusterIP: "10.96.0.1", ports: [port("https", 443)] } },
    {
      ...header("Service", "web", "default"),
      spec: { clusterIP: "10.96.0.77", ports: [port("http", 80), { ...port("dns", 53), protocol: "UDP" }] },
    },
  ],
};

function header<Kind extends string>(kind: Kind, name: string, namespace: string) {
  return { apiVersion: "v1", kind, metadata: { name, namespace } } as const;
}

function port(name: string, port: number) {
  return { name, port };
}

/** The volume that the API server adds for the token of the service account. */
const tokenVolume = {
  name: "kube-api-access",
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

/** Returns all recordings. */
export function recordings(): Recording[] {
  const manifests = read<Record<string, PodManifest>>("manifests");
  return Object.keys(settings).flatMap((set) => {
    const { commonSandbox, commonContainer, pods } = read<RecordedSet>(set);
    return Object.entries(pods).map(([pod, recorded]): Recording => {
      const { userNamespaceFirstId } = recorded;
      const isStatic = set.startsWith("static");
      const manifest = manifests[pod]!;
      return {
        set,
        pod,
        manifest: isStatic ? asStaticPod(manifest) : asApiPod(manifest),
        node: {
          ...recordedNode,
          ...settings[set],
          ...(userNamespaceFirstId !== undefined && { userNamespaceFirstId, userNamespaceRanges: 1 }),
        },
        objects: isStatic ? {} : objects,
        tokens: isStatic ? [] : [{ token: "token" }, { audience: "vault", token: "token of vault" }],
        podIPs: manifest.spec.hostNetwork === true ? recordedNode.addresses : ["10.88.0.5"],
        sandbox: merge(commonSandbox, recorded.sandbox),
        containers: Object.entries(recorded.containers).map(([container, config]) => {
          const [name = "", attempt = "0"] = container.split("-attempt");
          return { name, attempt: Number(attempt), config: merge(commonContainer, config) };
        }),
      };
    });
  });
}

/** A kubelet appends the name of its node to pods from files, and marks them. */
function asStaticPod({ metadata, spec, ...pod }: PodManifest): PodManifest {
  const annotations = {
    ...metadata.annotations,
    "kubernetes.io/config.hash": uid,
    "kubernetes.io/config.source": "file",
  };
  return {
    ...pod,
    metadata: { ...metadata, name: `${metadata.name}-node1`, uid, annotations },
    spec,
  };
}

function asApiPod({ metadata, spec, ...pod }: PodManifest): PodManifest {
  const hasTokenVolume = spec.automountServiceAccountToken !== false;
  const addMount = <T extends { volumeMounts?: readonly object[] | undefined }>(container: T): T => {
    const mount = {
      name: tokenVolume.name,
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      readOnly: true,
    };
    return hasTokenVolume ? { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] } : container;
  };
  return {
    ...pod,
    metadata: { ...metadata, uid },
    spec: {
      ...spec,
      nodeName: "node1",
      ...(spec.initContainers && { initContainers: spec.initContainers.map(addMount) }),
      containers: spec.containers.map(addMount),
      volumes: [...(spec.volumes ?? []), ...(hasTokenVolume ? [tokenVolume] : [])],
    },
  };
}

function merge(common: FlatMessage, own: FlatMessage): FlatMessage {
  const entries = Object.entries({ ...common, ...own }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([path, value]) => [fill(path), fillAll(value)]));
}

function fillAll(value: unknown): unknown {
  return JSON.parse(fill(JSON.stringify(value)));
}

function fill(text: string): string {
  return text.replaceAll("<uid>", uid);
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./kubelet-recordings/${name}.json`, import.meta.url), "utf8")) as T;
}
