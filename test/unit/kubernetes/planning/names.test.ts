import { describe, expect, test } from "vitest";
import type { PodManifestSpec } from "../../../../src/kubernetes/index.js";
import { configOf, container, facts, faultsOf, planOf, sandboxOf } from "./plan-of.js";

describe("uid and hash", () => {
  test("are the same for the same document, whatever the order of its fields", () => {
    const spec: Partial<PodManifestSpec> = { hostNetwork: true, dnsPolicy: "Default" };
    const reordered: Partial<PodManifestSpec> = { dnsPolicy: "Default", hostNetwork: true };
    const [one, two] = [
      planOf(spec, { metadata: { labels: { a: "1", b: "2" } } }),
      planOf(reordered, { metadata: { labels: { b: "2", a: "1" } } }),
    ];
    expect(two.uid).toBe(one.uid);
    expect(two.hash).toBe(one.hash);
    expect(JSON.stringify(two)).toBe(JSON.stringify(one));
  });

  test("differ for another document, but not for other objects or another node", () => {
    const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } } as const;
    const plan = planOf();
    expect(planOf({ hostPID: true }).uid).not.toBe(plan.uid);
    expect(planOf({}, { metadata: { namespace: "shop" } }).uid).not.toBe(plan.uid);
    expect(planOf({}, { objects: { configMaps: [configMap] }, node: { seccompDefault: true } }).uid).toBe(plan.uid);
  });

  test("a derived uid has the form of a UUID, and a given uid is kept", () => {
    expect(planOf().uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(planOf({}, { metadata: { uid: "own" } }).uid).toBe("own");
  });

  test("name the directories and the cgroup of the pod", () => {
    const plan = planOf({}, { metadata: { uid: "u1", namespace: "shop" } });
    expect(plan.podDirectory).toBe("/var/lib/kubelet/pods/u1");
    expect(plan.logDirectory).toBe("/var/log/pods/shop_web_u1");
    expect(plan.cgroup?.path).toBe("/kubepods/besteffort/podu1");
  });
});

describe("cgroup parent", () => {
  const metadata = { uid: "a-b" };
  const resources = { limits: { cpu: 1, memory: "1Gi" } };
  test.each([
    ["cgroupfs", "/", {}, "/kubepods/besteffort/poda-b"],
    ["cgroupfs", "/machines/blue", { resources }, "/machines/blue/kubepods/poda-b"],
    ["systemd", "/", {}, "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_b.slice"],
    ["systemd", "/", { resources }, "/kubepods.slice/kubepods-poda_b.slice"],
  ] as const)("of the driver %s below %s", (cgroupDriver, cgroupRoot, fields, expected) => {
    const plan = planOf({ containers: [container(fields)] }, { metadata, node: { cgroupDriver, cgroupRoot } });
    expect(sandboxOf(plan).linux?.cgroupParent).toBe(expected);
  });

  test("does not exist without cgroups by QoS, whatever the root", () => {
    const plan = planOf({}, { node: { cgroupsPerQos: false, cgroupRoot: "/machines" } });
    expect(sandboxOf(plan).linux?.cgroupParent).toBe("");
    expect(plan.cgroup).toBeUndefined();
  });
});

describe("host name", () => {
  const name = `${"a".repeat(62)}-b`;
  test.each<[string, string, Partial<PodManifestSpec>, string]>([
    ["is the pod's name", "web", {}, "web"],
    ["is cut to 63 characters, without a trailing hyphen", name, {}, "a".repeat(62)],
    ["is the manifest's", "web", { hostname: "front" }, "front"],
    ["has no domain without setHostnameAsFQDN", "web", { subdomain: "sub" }, "web"],
    [
      "has the domain with setHostnameAsFQDN",
      "web",
      { subdomain: "sub", setHostnameAsFQDN: true },
      "web.sub.default.svc.cluster.local",
    ],
    ["is the override", "web", { hostnameOverride: "other.example", hostname: "x", subdomain: "y" }, "other.example"],
    ["is the node's with hostNetwork", "web", { hostNetwork: true, hostname: "x" }, ""],
  ])("%s", (_, podName, spec, expected) => {
    expect(sandboxOf(planOf(spec, { metadata: { name: podName } })).hostname).toBe(expected);
  });

  test("has a domain with a trailing dot if the node has no cluster domain", () => {
    const plan = planOf({ subdomain: "sub", setHostnameAsFQDN: true }, { node: { clusterDomain: "" } });
    expect(sandboxOf(plan).hostname).toBe("web.sub.default.svc.");
  });

  test("with its domain has at most 64 characters", () => {
    const subdomain = "s".repeat(40);
    expect(faultsOf(() => planOf({ subdomain, setHostnameAsFQDN: true }))).toEqual([
      `spec.setHostnameAsFQDN: the host name web.${subdomain}.default.svc.cluster.local has 70 characters, at most 64; use a shorter hostname or subdomain`,
    ]);
  });
});

describe("annotations", () => {
  test("of the sandbox are the pod's, its source and its hash", () => {
    const plan = planOf({}, { metadata: { annotations: { note: "x" } } });
    expect(sandboxOf(plan).annotations).toEqual({
      "kubernetes.io/config.source": "api",
      note: "x",
      "k8s-cri-client/pod-hash": plan.hash,
    });
  });

  test("a manifest with the source of another agent keeps it", () => {
    const plan = planOf({}, { metadata: { annotations: { "kubernetes.io/config.source": "file" } } });
    expect(sandboxOf(plan).annotations["kubernetes.io/config.source"]).toBe("file");
  });

  test("of a container show its attempt, and its hook as Go writes JSON", () => {
    const preStop = { httpGet: { port: "http", path: "/stop?a=1&b=<2>", httpHeaders: [{ value: "y", name: "X" }] } };
    const plan = planOf({ containers: [container({ lifecycle: { preStop } })], terminationGracePeriodSeconds: 5 });
    expect(configOf(plan, "main", { attempt: 2 }).annotations).toEqual({
      "io.kubernetes.container.hash": "12214ab0",
      "io.kubernetes.container.preStopHandler":
        '{"httpGet":{"path":"/stop?a=1\\u0026b=\\u003c2\\u003e","port":"http","scheme":"HTTP","httpHeaders":[{"name":"X","value":"y"}]}}',
      "io.kubernetes.container.restartCount": "2",
      "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
      "io.kubernetes.container.terminationMessagePolicy": "File",
      "io.kubernetes.pod.terminationGracePeriod": "5",
    });
  });
});

test("a port of the container is also the node's with hostNetwork", () => {
  const ports = [{ name: "http", containerPort: 80 }];
  const plan = planOf({ hostNetwork: true, containers: [container({ ports })] });
  expect(sandboxOf(plan).portMappings).toMatchObject([{ containerPort: 80, hostPort: 80 }]);
  expect(plan.containers[0]!.ports).toEqual({ http: 80 });
});

test("only the first of two equal ports of a container is mapped, and no port of a sidecar", () => {
  const ports = [{ containerPort: 80 }, { containerPort: 80 }, { containerPort: 80, protocol: "UDP" as const }];
  const sidecar = container({ name: "proxy", restartPolicy: "Always", ports: [{ containerPort: 9 }] });
  const plan = planOf({ containers: [container({ ports })], initContainers: [sidecar] });
  expect(sandboxOf(plan).portMappings.map(({ containerPort, protocol }) => [containerPort, protocol])).toEqual([
    [80, 0],
    [80, 1],
  ]);
});

test("a pull request has the annotations of the pod, and the tag latest if it has none", () => {
  const plan = planOf({ containers: [container({ image: "registry.example/app" })] });
  const sandbox = sandboxOf(plan);
  const { image, sandboxConfig } = plan.pullImage(plan.containers[0]!.image, sandbox);
  expect(image).toMatchObject({
    image: "registry.example/app:latest",
    annotations: { "kubernetes.io/config.source": "api" },
  });
  expect(sandboxConfig).toEqual(sandbox);
  expect(configOf(plan).image).toMatchObject({ image: facts.image.id, userSpecifiedImage: "registry.example/app" });
});

test.each([
  ["nginx", "Always"],
  ["nginx:latest", "Always"],
  ["nginx:1.29", "IfNotPresent"],
  [`nginx@sha256:${"a".repeat(64)}`, "IfNotPresent"],
])("the image %s is pulled %s", (image, pullPolicy) => {
  expect(planOf({ containers: [container({ image })] }).containers[0]!.image.pullPolicy).toBe(pullPolicy);
});
