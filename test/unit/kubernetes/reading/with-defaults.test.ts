import { expect, test } from "vitest";
import { readManifests } from "../../../../src/kubernetes/reading/read-manifests.js";
import { withDefaults } from "../../../../src/kubernetes/reading/with-defaults.js";

function podOf(spec: string) {
  const [pod] = readManifests(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: ${spec}}`).pods;
  return pod!;
}

function flat(value: unknown, path = ""): Map<string, unknown> {
  const isLeaf = typeof value !== "object" || value === null || Object.keys(value).length === 0;
  if (isLeaf) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([key, entry]) => [...flat(entry, path === "" ? key : `${path}.${key}`)]),
  );
}

/** Returns the fields of the spec that the defaults add. */
function added(spec: string): Record<string, unknown> {
  const pod = podOf(spec);
  const given = flat(pod.spec);
  return Object.fromEntries([...flat(withDefaults(pod).spec)].filter(([path]) => !given.has(path)));
}

const ofPod = {
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  dnsPolicy: "ClusterFirst",
  enableServiceLinks: true,
  securityContext: {},
};
const ofContainer = {
  "containers.0.imagePullPolicy": "IfNotPresent",
  "containers.0.terminationMessagePath": "/dev/termination-log",
  "containers.0.terminationMessagePolicy": "File",
};
const withoutResources = { "containers.0.resources": {} };

// What an API server 1.36.2 added to the pods of the recordings, without what its admission plugins added.
const served: [string, string, Record<string, unknown>][] = [
  ["nothing set", "containers: [{name: a, image: 'r/a:1'}]", { ...ofPod, ...ofContainer, ...withoutResources }],
  [
    "images without a tag and with the tag latest",
    `containers: [{name: a, image: r/a}, {name: b, image: 'r:5000/b:latest'}, {name: c, image: 'r/c@sha256:${"a".repeat(64)}'}]`,
    {
      ...ofPod,
      ...Object.assign(
        {},
        ...["Always", "Always", "IfNotPresent"].map((policy, index) => ({
          [`containers.${index}.imagePullPolicy`]: policy,
          [`containers.${index}.terminationMessagePath`]: "/dev/termination-log",
          [`containers.${index}.terminationMessagePolicy`]: "File",
          [`containers.${index}.resources`]: {},
        })),
      ),
    },
  ],
  [
    "limits with some requests",
    "containers: [{name: a, image: 'r/a:1', resources: {requests: {cpu: 250m}, limits: {cpu: 1500m, memory: 128Mi, ephemeral-storage: 2Gi}}}]",
    {
      ...ofPod,
      ...ofContainer,
      "containers.0.resources.requests.memory": "128Mi",
      "containers.0.resources.requests.ephemeral-storage": "2Gi",
    },
  ],
  [
    "references to fields and resources",
    `containers: [{name: a, image: 'r/a:1', env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}},
      {name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}, {name: C, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}]}]`,
    {
      ...ofPod,
      ...ofContainer,
      ...withoutResources,
      "containers.0.env.0.valueFrom.fieldRef.apiVersion": "v1",
      "containers.0.env.1.valueFrom.resourceFieldRef.divisor": "0",
    },
  ],
  [
    "probes, hooks and ports",
    `containers: [{name: a, image: 'r/a:1', ports: [{containerPort: 80}], startupProbe: {exec: {command: [x]}, failureThreshold: 5},
      readinessProbe: {httpGet: {port: 80}, timeoutSeconds: 3}, livenessProbe: {grpc: {port: 1}, periodSeconds: 2},
      lifecycle: {preStop: {httpGet: {port: 80}}}}]`,
    {
      ...ofPod,
      ...ofContainer,
      ...withoutResources,
      "containers.0.ports.0.protocol": "TCP",
      "containers.0.startupProbe.timeoutSeconds": 1,
      "containers.0.startupProbe.periodSeconds": 10,
      "containers.0.startupProbe.successThreshold": 1,
      "containers.0.readinessProbe.periodSeconds": 10,
      "containers.0.readinessProbe.successThreshold": 1,
      "containers.0.readinessProbe.failureThreshold": 3,
      "containers.0.readinessProbe.httpGet.path": "/",
      "containers.0.readinessProbe.httpGet.scheme": "HTTP",
      "containers.0.livenessProbe.timeoutSeconds": 1,
      "containers.0.livenessProbe.successThreshold": 1,
      "containers.0.livenessProbe.failureThreshold": 3,
      "containers.0.livenessProbe.grpc.service": "",
      "containers.0.lifecycle.preStop.httpGet.path": "/",
      "containers.0.lifecycle.preStop.httpGet.scheme": "HTTP",
    },
  ],
  [
    "the host's network",
    "hostNetwork: true, containers: [{name: a, image: 'r/a:1', ports: [{containerPort: 80}]}]",
    {
      ...ofPod,
      ...ofContainer,
      ...withoutResources,
      "containers.0.ports.0.protocol": "TCP",
      "containers.0.ports.0.hostPort": 80,
    },
  ],
  [
    "volumes",
    `containers: [{name: a, image: 'r/a:1'}], volumes: [{name: a}, {name: b, hostPath: {path: /b}}, {name: c, configMap: {name: c}},
      {name: d, secret: {secretName: d, defaultMode: 0400}}, {name: e, downwardAPI: {items: [{path: n, fieldRef: {fieldPath: metadata.name}}]}},
      {name: f, projected: {sources: [{serviceAccountToken: {path: t}}, {downwardAPI: {items: [{path: c, resourceFieldRef: {containerName: a, resource: limits.cpu}}]}}]}},
      {name: g, image: {reference: r/g}}]`,
    {
      ...ofPod,
      ...ofContainer,
      ...withoutResources,
      "volumes.0.emptyDir": {},
      "volumes.1.hostPath.type": "",
      "volumes.2.configMap.defaultMode": 0o644,
      "volumes.4.downwardAPI.defaultMode": 0o644,
      "volumes.4.downwardAPI.items.0.fieldRef.apiVersion": "v1",
      "volumes.5.projected.defaultMode": 0o644,
      "volumes.5.projected.sources.0.serviceAccountToken.expirationSeconds": 3600,
      "volumes.5.projected.sources.1.downwardAPI.items.0.resourceFieldRef.divisor": "0",
      "volumes.6.image.pullPolicy": "Always",
    },
  ],
  [
    "limits of the whole pod",
    "resources: {limits: {cpu: '1', memory: 200Mi}}, containers: [{name: a, image: 'r/a:1', resources: {requests: {cpu: 100m}}}]",
    { ...ofPod, ...ofContainer, "resources.requests.cpu": "100m", "resources.requests.memory": "200Mi" },
  ],
];

test.each(served)("adds what an API server adds: %s", (_, spec, expected) => {
  expect(added(`{${spec}}`)).toEqual(expected);
});

test("fills in the defaults once", () => {
  for (const [, spec] of served) {
    const pod = withDefaults(podOf(`{${spec}}`));
    expect(withDefaults(pod)).toEqual(pod);
  }
});

test("takes a field that is set to undefined for one that is not set", () => {
  const pod = podOf("{containers: [{name: a, image: a}]}");
  const given = { ...pod, spec: { ...pod.spec, restartPolicy: undefined, initContainers: undefined } };
  expect(withDefaults(given)).toEqual(withDefaults(pod));
});

test("gives a pod without a namespace the namespace default", () => {
  expect(withDefaults(podOf("{containers: [{name: a, image: a}]}")).metadata).toEqual({
    name: "p",
    namespace: "default",
  });
});
