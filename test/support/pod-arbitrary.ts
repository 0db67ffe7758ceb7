/* Random valid pods, for properties that every plan has. */
import fc from "fast-check";
import type {
  ContainerManifest,
  KubernetesObjects,
  NodeConfig,
  PodManifest,
  PodManifestSpec,
} from "../../src/kubernetes/index.js";
import { recordedNode } from "./kubelet-recordings.js";

/** Part of all secrets: values of variables, and content of ConfigMaps and Secrets. */
export const secretMark = "s3cr3t";

/** The objects to which {@link anyPod} refers. */
export const referredObjects: KubernetesObjects = {
  configMaps: ["default", "shop"].map((namespace) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace },
    data: { level: `${secretMark}-level` },
  })),
  secrets: ["default", "shop"].map((namespace) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace },
    stringData: { password: `${secretMark}-password` },
  })),
};

/** Drops keys at random. Missing keys are absent, as in YAML. */
function some<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const word = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
const path = word.map((name) => `/${name}`);
const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const cpu = fc.constantFrom("1m", "100m", "1", "2.5", 3);
const memory = fc.constantFrom("64Mi", "1Gi", "100M", 2 ** 28);

const resources = fc.oneof(
  fc.record({ requests: some({ cpu, memory }) }),
  fc.record({ limits: some({ cpu, memory }) }),
  fc.record({
    limits: fc.record({ cpu: fc.constant("4"), memory: fc.constant("2Gi") }),
    requests: some({ cpu, memory }),
  }),
);

const secretText = word.map((text) => `${secretMark}-${text}`);
const variable = fc.oneof(
  fc.record({ name: word, value: secretText }),
  fc.record({ name: word, value: word.map((name) => `${secretMark}-$(${name})`) }),
  ...(
    [
      { secretKeyRef: { name: "login", key: "password" } },
      { configMapKeyRef: { name: "settings", key: "level" } },
      { fieldRef: { fieldPath: "metadata.name" } },
      { fieldRef: { fieldPath: "status.podIP" } },
      { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } },
    ] as const
  ).map((valueFrom) => fc.record({ name: word, valueFrom: fc.constant(valueFrom) })),
);

const seccompProfile = fc.constantFrom(
  { type: "RuntimeDefault" } as const,
  { type: "Unconfined" } as const,
  { type: "Localhost", localhostProfile: "a.json" } as const,
);

const probe = fc.oneof(
  fc.record({ exec: fc.record({ command: fc.array(word, { minLength: 1, maxLength: 3 }) }) }),
  fc.record({ httpGet: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
  fc.record({ tcpSocket: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
);

const volumes = [
  { name: "scratch", emptyDir: {} },
  { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  { name: "host", hostPath: { path: "/srv" } },
  { name: "settings", configMap: { name: "settings" } },
  { name: "login", secret: { secretName: "login", defaultMode: 0o400 } },
  { name: "art", image: { reference: "registry.example/art:1" } },
] as const;

const container: fc.Arbitrary<Omit<ContainerManifest, "name">> = fc
  .tuple(
    fc.record({ image: fc.constantFrom("app", "registry.example/app:1", "localhost:5000/app:latest") }),
    some<Omit<ContainerManifest, "name" | "image">>({
      command: fc.array(fc.oneof(word, fc.constantFrom("$(a)", "$$(b)", "$(")), { maxLength: 3 }),
      args: fc.array(fc.oneof(word, fc.constantFrom("$(a)", "--x=$(HOME)")), { maxLength: 3 }),
      workingDir: path,
      env: fc.array(variable, { maxLength: 4 }),
      envFrom: fc.constant([{ prefix: "ALL_", secretRef: { name: "login" } }]),
      resources,
      ports: fc.uniqueArray(
        fc.integer({ min: 1, max: 65_535 }).map((containerPort) => ({ containerPort })),
        {
          selector: ({ containerPort }) => containerPort,
          maxLength: 3,
        },
      ),
      volumeMounts: fc.uniqueArray(
        fc.constantFrom(...volumes).map(({ name }) => ({ name, mountPath: `/${name}` })),
        {
          selector: ({ name }) => name,
        },
      ),
      securityContext: some({
        runAsUser: id,
        runAsGroup: id,
        readOnlyRootFilesystem: fc.boolean(),
        capabilities: some({ add: fc.constant(["NET_ADMIN"]), drop: fc.constant(["ALL"]) }),
        seccompProfile,
      }),
      tty: fc.boolean(),
      stdin: fc.boolean(),
    }),
  )
  .map(([image, fields]) => ({ ...fields, ...image }));

const mainContainer: fc.Arbitrary<Omit<ContainerManifest, "name">> = fc
  .tuple(
    container,
    some<Partial<ContainerManifest>>({ livenessProbe: probe, readinessProbe: probe, startupProbe: probe }),
  )
  .map(([fields, probes]) => ({ ...fields, ...probes }));

const spec: fc.Arbitrary<PodManifestSpec> = fc
  .record({
    containers: fc.array(mainContainer, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(fc.tuple(container, fc.boolean()), { maxLength: 2 }),
    fields: some<Partial<PodManifestSpec>>({
      restartPolicy: fc.constantFrom("Always", "OnFailure", "Never"),
      terminationGracePeriodSeconds: fc.integer({ min: 0, max: 60 }),
      dnsPolicy: fc.constantFrom("ClusterFirst", "Default"),
      dnsConfig: fc.record({ nameservers: fc.constant(["192.0.2.1"]), searches: fc.array(word, { maxLength: 3 }) }),
      hostname: word,
      subdomain: word,
      hostPID: fc.boolean(),
      hostAliases: fc.constant([{ ip: "192.0.2.2", hostnames: ["other"] }]),
      securityContext: some({
        runAsUser: id,
        fsGroup: id,
        supplementalGroups: fc.array(id, { maxLength: 3 }),
        seccompProfile,
        sysctls: fc.constant([{ name: "net.ipv4.tcp_syncookies", value: "1" }]),
      }),
    }),
  })
  .map(({ containers, initContainers, fields }) => ({
    ...fields,
    initContainers: initContainers.map(([init, isSidecar], index) => ({
      ...init,
      name: `init-${index}`,
      ...(isSidecar && { restartPolicy: "Always" as const }),
    })),
    containers: containers.map((main, index) => ({ ...main, name: `main-${index}` })),
    volumes,
  }));

/** A valid pod; all its objects are in {@link referredObjects}. */
export const anyPod: fc.Arbitrary<PodManifest> = fc
  .record({
    name: word,
    namespace: fc.constantFrom("default", "shop"),
    metadata: some({ labels: fc.dictionary(word, word), annotations: fc.dictionary(word, fc.string()) }),
    spec,
  })
  .map(({ name, namespace, metadata, spec }) => {
    return { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name, namespace }, spec };
  });

/** A node with other settings than that of the recordings. */
export const anyNode: fc.Arbitrary<NodeConfig> = some<Partial<NodeConfig>>({
  cgroupVersion: fc.constantFrom(1, 2),
  cgroupDriver: fc.constantFrom("cgroupfs", "systemd"),
  cgroupsPerQos: fc.boolean(),
  seccompDefault: fc.boolean(),
  cpuCfsQuota: fc.boolean(),
  memoryQos: fc.boolean(),
  memoryReservationPolicy: fc.constantFrom("None", "TieredReservation"),
  swapBehavior: fc.constantFrom("NoSwap", "LimitedSwap"),
  swapCapacityBytes: fc.integer({ min: 0, max: 2 ** 40 }),
  hugePageSizesBytes: fc.constantFrom([], [2 ** 21]),
}).map((settings) => ({ ...recordedNode, ...settings }));
