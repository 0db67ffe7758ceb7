import { expect, test } from "vitest";
import { faultsOfSpec, messagesOf } from "./support.js";

const faultsOf = (spec: string) => faultsOfSpec(`containers: [{name: c, image: i}], ${spec}`);

const accepted = [
  "dnsPolicy: None, dnsConfig: {nameservers: [1.2.3.4, '::1'], searches: [a.b., ., _sip._tcp.b_c.x], options: [{name: ndots, value: '2'}, {name: x}]}",
  "hostAliases: [{ip: '::1', hostnames: [a.b]}]",
  "hostnameOverride: a.b, hostNetwork: false",
  "hostUsers: false, shareProcessNamespace: true",
  "securityContext: {runAsUser: 0, sysctls: [{name: net.core.somaxconn, value: '1'}, {name: kernel/shm_rmid_forced, value: ''}]}",
  "serviceAccount: a, serviceAccountName: a",
  "activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0",
  "overhead: {cpu: 50m}, runtimeClassName: a.b, priority: -5, nodeName: n1",
  "resources: {limits: {cpu: 2}, requests: {memory: 1Gi}}",
  "volumes: [{name: a, configMap: {name: c, items: [{key: k, path: x}, {key: l, path: x}]}}]",
  "ephemeralContainers: [], resourceClaims: null, hostname: ''",
];

test.each(accepted)("accepts %s", (spec) => {
  expect(faultsOf(spec)).toEqual([]);
});

const refused: [string, string[]][] = [
  ["restartPolicy: Sometimes", ['restartPolicy: must be one of "Always", "OnFailure", "Never", got "Sometimes"']],
  ["restartPolicys: Always", ["restartPolicys: unknown field; did you mean restartPolicy?"]],
  ["activeDeadlineSeconds: 0", ["activeDeadlineSeconds: must be a whole number from 1 to 2147483647, got 0"]],
  [
    "terminationGracePeriodSeconds: 1.5",
    ["terminationGracePeriodSeconds: must be a whole number from 0 to 9007199254740991, got 1.5"],
  ],
  [
    "ephemeralContainers: [{name: d}]",
    ["ephemeralContainers: is not supported: they are added to a running pod; run commands with `exec`"],
  ],
  ["resourceClaims: [{name: d}]", ["resourceClaims: is not supported: devices are allocated by a cluster"]],
  ["os: {name: windows}", ['os.name: must be "linux", got "windows"']],
  ["dnsPolicy: None", ["dnsConfig: must have nameservers with dnsPolicy: None"]],
  [
    "dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3, host]}",
    [
      "dnsConfig.nameservers: must have at most 3 entries, got 4",
      'dnsConfig.nameservers[3]: must be an IP address, got "host"',
    ],
  ],
  [
    `dnsConfig: {searches: [${Array.from({ length: 33 }, (_, index) => `s${index}`).join(", ")}]}`,
    ["dnsConfig.searches: must have at most 32 entries, got 33"],
  ],
  [
    `dnsConfig: {searches: [${Array.from({ length: 11 }, () => `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}`).join(", ")}]}`,
    ["dnsConfig.searches: must have at most 2048 characters in total, got 2111"],
  ],
  ["dnsConfig: {searches: ['a b']}", ['dnsConfig.searches[0]: must be a domain, got "a b"']],
  [
    "hostAliases: [{ip: a, hostnames: [A]}]",
    [
      'hostAliases[0].ip: must be an IP address, got "a"',
      "hostAliases[0].hostnames[0]: must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit, got \"A\"",
    ],
  ],
  [
    "hostname: a.b",
    ["hostname: must be lower-case letters, digits and '-', and begin and end with a letter or digit, got \"a.b\""],
  ],
  [`subdomain: ${"a".repeat(64)}`, [`subdomain: must have at most 63 characters, got "${"a".repeat(59)}…"`]],
  [
    `hostnameOverride: ${"a".repeat(65)}`,
    [`hostnameOverride: must have at most 64 characters, got "${"a".repeat(59)}…"`],
  ],
  [
    "hostnameOverride: a, hostNetwork: true, setHostnameAsFQDN: true",
    [
      "hostnameOverride: must not be set with hostNetwork: true",
      "hostnameOverride: must not be set with setHostnameAsFQDN: true",
    ],
  ],
  ["hostPID: true, shareProcessNamespace: true", ["shareProcessNamespace: must not be true with hostPID: true"]],
  [
    "hostUsers: false, hostNetwork: true, hostIPC: true, hostPID: true",
    [
      "hostNetwork: must not be true with hostUsers: false",
      "hostPID: must not be true with hostUsers: false",
      "hostIPC: must not be true with hostUsers: false",
    ],
  ],
  ["serviceAccount: a, serviceAccountName: b", ["serviceAccount: differs from serviceAccountName, which replaces it"]],
  [
    "securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}, {name: kernel.sem, value: '1'}]}, hostNetwork: true, hostIPC: true",
    [
      "securityContext.sysctls[0].name: net.core.somaxconn needs a network of the pod's own: drop hostNetwork or the sysctl",
      "securityContext.sysctls[1].name: kernel.sem needs an IPC namespace of the pod's own: drop hostIPC or the sysctl",
    ],
  ],
  [
    "securityContext: {sysctls: [{name: A, value: 1}, {name: b, value: '1'}, {name: b, value: '2'}]}",
    [
      "securityContext.sysctls[0].name: must be lower-case letters, digits, '-', '_', '.' and '/', got \"A\"",
      "securityContext.sysctls[0].value: must be a string, got 1; put it in quotes",
      'securityContext.sysctls[2].name: must be unique; entry 1 has the same, got "b"',
    ],
  ],
  [
    "securityContext: {runAsNonRoot: true, runAsUser: 0}",
    ["containers[0].securityContext.runAsNonRoot: runAsUser is 0; set runAsUser to another id"],
  ],
  [
    "securityContext: {fsGroup: 2147483648}",
    ["securityContext.fsGroup: must be a whole number from 0 to 2147483647, got 2147483648"],
  ],
  [
    "resources: {limits: {ephemeral-storage: 1Gi}}",
    [
      'resources.limits["ephemeral-storage"]: the key must be cpu, memory or hugepages-<size> for a whole pod, got "ephemeral-storage"',
    ],
  ],

  [
    "volumes: [{name: a, emptyDir: {}, hostPath: {path: /a}}]",
    ["volumes[0]: must have only one of emptyDir, hostPath"],
  ],
  ["volumes: [{name: a}, {name: a}]", ['volumes[1].name: must be unique; entry 0 has the same, got "a"']],
  [
    "volumes: [{name: a, nfs: {server: s, path: /}}]",
    ["volumes[0].nfs: is not supported: there are no storage drivers here; mount it on the node and use hostPath"],
  ],
  [
    "volumes: [{name: a, persistentVolumeClaim: {claimName: c}}]",
    ["volumes[0].persistentVolumeClaim: is not supported: claims are bound by a cluster; use hostPath or emptyDir"],
  ],
  ["volumes: [{name: a, emptydir: {}}]", ["volumes[0].emptydir: unknown field; did you mean emptyDir?"]],
  [
    "volumes: [{name: a, emptyDir: {medium: memory, sizeLimit: 1Q}}]",
    [
      'volumes[0].emptyDir.medium: must be "Memory", "HugePages" or "HugePages-<size>" such as "HugePages-2Mi", got "memory"',
      'volumes[0].emptyDir.sizeLimit: unknown suffix; known are n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, got "1Q"',
    ],
  ],
  [
    "volumes: [{name: a, hostPath: {path: /a/../b, type: Directry}}]",
    [
      "volumes[0].hostPath.path: must not contain '..', got \"/a/../b\"",
      'volumes[0].hostPath.type: must be one of "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice", got "Directry"; did you mean "Directory"?',
    ],
  ],
  [
    "volumes: [{name: a, configMap: {name: c, defaultMode: 644, items: [{key: k, path: /p}, {key: k, path: ../p}]}}]",
    [
      'volumes[0].configMap.items[0].path: must be a relative path, got "/p"',
      "volumes[0].configMap.items[1].path: must not contain '..', got \"../p\"",
      "volumes[0].configMap.defaultMode: must be the permissions of a file, from 0 to 0777; write 0644 for octal, got 644",
    ],
  ],
  [
    "volumes: [{name: a, secret: {name: s}}]",
    [
      "volumes[0].secret.name: unknown field; known are secretName, optional, items, defaultMode",
      "volumes[0].secret.secretName: is required",
    ],
  ],
  [
    "volumes: [{name: a, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: status.podIP}}, {path: q, resourceFieldRef: {resource: limits.cpus}}]}}]",
    [
      "volumes[0].downwardAPI.items[0].fieldRef.fieldPath: must be one of metadata.name, metadata.namespace, metadata.uid, metadata.labels, metadata.annotations, metadata.labels['<key>'], metadata.annotations['<key>'], got \"status.podIP\"",
      'volumes[0].downwardAPI.items[1].resourceFieldRef.resource: must be one of limits.cpu, requests.cpu, limits.memory, requests.memory, limits.ephemeral-storage, requests.ephemeral-storage, limits.hugepages-<size>, requests.hugepages-<size>, got "limits.cpus"',
      "volumes[0].downwardAPI.items[1].resourceFieldRef.containerName: is required in a volume",
    ],
  ],
  [
    "volumes: [{name: a, projected: {sources: [{}, {clusterTrustBundle: {path: a}}, {serviceAccountToken: {path: t, expirationSeconds: 599}}]}}]",
    [
      "volumes[0].projected.sources[0]: must have one of configMap, secret, downwardAPI, serviceAccountToken",
      "volumes[0].projected.sources[1].clusterTrustBundle: is not supported: it needs an API server; use a configMap",
      "volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: must be a whole number from 600 to 4294967296, got 599",
    ],
  ],
  [
    "volumes: [{name: a, projected: {sources: [{secret: {name: s, items: [{key: k, path: x}]}}, {downwardAPI: {items: [{path: x, fieldRef: {fieldPath: metadata.name}}]}}]}}]",
    [
      'volumes[0].projected.sources[1].downwardAPI.items[0].path: must be unique in the volume; sources[0].secret.items[0] has the same, got "x"',
    ],
  ],
  [
    "volumes: [{name: a, secret: {secretName: s, defaultMode: '0644'}}]",
    ['volumes[0].secret.defaultMode: must be the permissions of a file, from 0 to 0777 (without quotes), got "0644"'],
  ],
  ["volumes: [{name: a, image: {pullPolicy: Never}}]", ["volumes[0].image.reference: is required"]],
];

test.each(refused)("refuses %s", (spec, expected) => {
  expect(faultsOf(spec)).toEqual(expected);
});

test("compares the resources of the pod with those of its containers", () => {
  expect(
    faultsOfSpec(
      "resources: {limits: {cpu: 1}, requests: {cpu: 500m}}, containers: [{name: a, image: i, resources: {limits: {cpu: 2}, requests: {cpu: 400m}}}, {name: b, image: i, resources: {requests: {cpu: 200m}}}]",
    ),
  ).toEqual([
    "containers[0].resources.limits.cpu: must be at most the pod's limit, 1, got 2",
    'resources.requests.cpu: must be at least what the containers request together, got "500m"',
  ]);
  const withInit = (resources: string, init: string) =>
    faultsOfSpec(
      `resources: ${resources}, initContainers: [{name: i, image: i, resources: {requests: {cpu: 1}}, ${init}}], containers: [{name: a, image: i, resources: {limits: {cpu: 1}}}]`,
    );
  expect(withInit("{requests: {cpu: 1500m}}", "")).toEqual([]);
  expect(withInit("{requests: {cpu: 1500m}}", "restartPolicy: Always")).toEqual([
    'resources.requests.cpu: must be at least what the containers request together, got "1500m"',
  ]);
  expect(withInit("{limits: {cpu: 1}}", "restartPolicy: Always")).toEqual([
    "resources.limits.cpu: must be at least what the containers request together, got 1",
  ]);
});

test("refuses a pod without containers", () => {
  expect(faultsOfSpec("containers: []")).toEqual(["containers: must have 1 entry or more"]);
  expect(faultsOfSpec("")).toEqual(["containers: is required"]);
});

test.each([
  [
    "{name: A}",
    "metadata.name: must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit, got \"A\"",
  ],
  [
    "{name: a, namespace: a.b}",
    "metadata.namespace: must be lower-case letters, digits and '-', and begin and end with a letter or digit, got \"a.b\"",
  ],
  ["{generateName: a-}", "metadata.name: is required; generateName is not supported"],
  ["{name: a, labels: {a: 1}}", "metadata.labels.a: must be a string, got 1; put it in quotes"],
  ["{name: a, labels: {a/b/c: ''}}", 'metadata.labels["a/b/c"]: the key must have at most one \'/\', got "a/b/c"'],
  [
    "{name: a, labels: {a: 'x y'}}",
    "metadata.labels.a: must be letters, digits, '-', '_' and '.', and begin and end with a letter or digit, got \"x y\"",
  ],
  ["{name: a, annotations: {a: [b]}}", "metadata.annotations.a: must be a string, got an array"],
  [
    `{name: a, annotations: {a: ${"x".repeat(262_144)}}}`,
    "metadata.annotations: must have at most 262144 bytes, got 262145",
  ],
])("refuses the metadata %.40s", (metadata, expected) => {
  const spec = "{containers: [{name: c, image: i}]}";
  expect(messagesOf(`{apiVersion: v1, kind: Pod, metadata: ${metadata}, spec: ${spec}}`)).toEqual([expected]);
});
