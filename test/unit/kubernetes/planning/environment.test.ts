import { inspect } from "node:util";
import { describe, expect, it, test } from "vitest";
import type { ContainerManifest, KubernetesObjects, PodManifestSpec } from "../../../../src/kubernetes/index.js";
import { environmentOf } from "../../../../src/kubernetes/planning/environment.js";
import type { PodContext } from "../../../../src/kubernetes/planning/pod-context.js";
import { contextOf, faultsOf, messagesOf, planned } from "./pod-context.js";

type Settings = Pick<ContainerManifest, "env" | "envFrom" | "resources">;
type Others = Parameters<typeof contextOf>[1];

function contextWith(settings: Settings, others?: Others, spec?: Partial<PodManifestSpec>): PodContext {
  return contextOf({ containers: [{ name: "main", image: "app:1", ...settings }], ...spec }, others);
}

function environment(context: PodContext, podIPs: readonly string[] = ["10.0.0.5"]) {
  return planned((faults) => environmentOf(context, context.pod.spec.containers[0]!, podIPs, faults));
}

function values(context: PodContext, podIPs?: readonly string[]): [string, string][] {
  return environment(context, podIPs)
    .toKeyValues()
    .map(({ key, value }) => [key, Buffer.from(value).toString()]);
}

function faults(context: PodContext) {
  return faultsOf((faults) => environmentOf(context, context.pod.spec.containers[0]!, [], faults));
}

const objects: KubernetesObjects = {
  configMaps: [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
      data: { color: "blue", "file.txt": "text" },
      binaryData: { blob: "AAEC" },
    },
  ],
  secrets: [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "login", namespace: "shop" },
      data: { password: "czNjcmV0", user: "b2xk", raw: "/w==" },
      stringData: { user: "admin" },
    },
  ],
};

describe("the environment of a container", () => {
  it("expands references to earlier variables and to Services", () => {
    const services = [
      {
        apiVersion: "v1" as const,
        kind: "Service" as const,
        metadata: { name: "db", namespace: "shop" },
        spec: { clusterIP: "10.1.1.1", ports: [{ port: 5432 }] },
      },
    ];
    const env = [
      { name: "A", value: "a" },
      { name: "B", value: "$(A)-$(C)-$(DB_SERVICE_HOST)-$$(A)" },
      { name: "C", value: "c" },
      { name: "DB_SERVICE_PORT", value: "own" },
    ];
    expect(values(contextWith({ env }, { objects: { services } })).slice(0, 5)).toEqual([
      ["A", "a"],
      ["B", "a-$(C)-10.1.1.1-$(A)"],
      ["C", "c"],
      ["DB_SERVICE_PORT", "own"],
      ["DB_SERVICE_HOST", "10.1.1.1"],
    ]);
  });

  it("keeps the last of several variables with one name, which can refer to the earlier one", () => {
    const env = [
      { name: "PATH", value: "/bin" },
      { name: "OTHER", value: "x" },
      { name: "PATH", value: "/opt:$(PATH)" },
    ];
    expect(values(contextWith({ env }))).toEqual([
      ["PATH", "/opt:/bin"],
      ["OTHER", "x"],
    ]);
  });

  it("sets variables without a value to an empty string", () => {
    expect(values(contextWith({ env: [{ name: "A" }, { name: "B", value: "" }] }))).toEqual([
      ["A", ""],
      ["B", ""],
    ]);
  });

  it("takes all keys of a ConfigMap and a Secret, with a prefix, before env", () => {
    const envFrom = [
      { configMapRef: { name: "settings" } },
      { prefix: "S_", secretRef: { name: "login" } },
      { configMapRef: { name: "absent", optional: true } },
    ];
    const env = [{ name: "color", value: "$(color)-green" }];
    expect(values(contextWith({ envFrom, env }, { objects }))).toEqual([
      ["color", "blue-green"],
      ["file.txt", "text"],
      ["S_password", "s3cret"],
      ["S_user", "admin"],
      ["S_raw", "\ufffd"],
    ]);
  });

  it("takes single keys", () => {
    const env = [
      { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
      { name: "USER", valueFrom: { secretKeyRef: { name: "login", key: "user" } } },
      { name: "BOTH", value: "$(USER)/$(COLOR)" },
    ];
    expect(Object.fromEntries(values(contextWith({ env }, { objects })))).toEqual({
      COLOR: "blue",
      USER: "admin",
      BOTH: "admin/blue",
    });
  });

  it("finds objects that do not state their kind, as in lists of an API server", () => {
    const configMap = { ...objects.configMaps![0]!, kind: undefined };
    const env = [{ name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } }];
    const unstated = { configMaps: [configMap] } as unknown as KubernetesObjects;
    expect(values(contextWith({ env }, { objects: unstated }))).toEqual([["COLOR", "blue"]]);
  });

  it("leaves out optional variables whose object or key is missing, and keeps an earlier value", () => {
    const env = [
      { name: "KEPT", value: "earlier" },
      { name: "KEPT", valueFrom: { configMapKeyRef: { name: "settings", key: "absent", optional: true } } },
      { name: "A", valueFrom: { configMapKeyRef: { name: "absent", key: "k", optional: true } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "login", key: "absent", optional: true } } },
      { name: "C", valueFrom: { secretKeyRef: { name: "absent", key: "k", optional: true } } },
    ];
    expect(values(contextWith({ env }, { objects }))).toEqual([["KEPT", "earlier"]]);
  });

  it("sends bytes of a Secret that are not UTF-8 unchanged", () => {
    const env = [
      { name: "RAW", valueFrom: { secretKeyRef: { name: "login", key: "raw" } } },
      { name: "COPY", value: "é$(RAW)" },
    ];
    const [raw, copy] = environment(contextWith({ env }, { objects })).toKeyValues();
    expect(raw?.value).toEqual(Uint8Array.of(0xff));
    expect(copy?.value).toEqual(Uint8Array.of(0xc3, 0xa9, 0xff));
  });

  it("expands commands, and names the variables of a text that have no value", () => {
    const env = [
      { name: "A", value: "ä" },
      { name: "EMPTY", value: "" },
    ];
    const { names, expand, missingIn } = bound(environment(contextWith({ env })));
    expect(names).toEqual(["A", "EMPTY"]);
    expect(expand("$(A)/$(B)/$$(A)/ü")).toBe("ä/$(B)/$(A)/ü");
    expect(missingIn("$(A)/$(B)/$(EMPTY)/$(B)/$$(C)")).toEqual(["B", "EMPTY"]);
  });

  it("shows no values when it is printed", () => {
    const context = contextWith({ env: [{ name: "A", value: "hidden" }] });
    expect(inspect(environment(context), { showHidden: true, depth: null })).not.toContain("hidden");
    expect(JSON.stringify(environment(context))).not.toContain("hidden");
  });
});

function bound(of: ReturnType<typeof environment>) {
  return { names: of.names, expand: of.expand.bind(of), missingIn: of.missingIn.bind(of) };
}

describe("fieldRef", () => {
  const labels = { app: "envy", "example.com/x": "y" };
  const metadata = { labels, annotations: { note: "two\nlines" } };

  test.each([
    ["metadata.name", "web"],
    ["metadata.namespace", "shop"],
    ["metadata.uid", "11111111-2222-3333-4444-555555555555"],
    ["metadata.labels['app']", "envy"],
    ["metadata.labels['example.com/x']", "y"],
    ["metadata.labels['none']", ""],
    ["metadata.labels['toString']", ""],
    ["metadata.annotations['note']", "two\nlines"],
    ["spec.nodeName", "node1"],
    ["spec.serviceAccountName", "robot"],
    ["status.hostIP", "192.0.2.10"],
    ["status.hostIPs", "192.0.2.10,2001:db8::10"],
    ["status.podIP", "10.0.0.5"],
    ["status.podIPs", "10.0.0.5,fd00::5"],
  ])("%s", (fieldPath, expected) => {
    const context = contextWith(
      { env: [{ name: "X", valueFrom: { fieldRef: { fieldPath } } }] },
      { metadata, node: { addresses: ["192.0.2.10", "2001:db8::10"] } },
      { serviceAccountName: "robot" },
    );
    expect(values(context, ["10.0.0.5", "fd00::5", "10.0.0.6"])).toEqual([["X", expected]]);
  });

  const addresses = [
    { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    { name: "IPS", valueFrom: { fieldRef: { fieldPath: "status.podIPs" } } },
  ];

  it("puts the address of the node's first family first", () => {
    const context = contextWith({ env: addresses }, { node: { addresses: ["2001:db8::10"] } });
    expect(Object.fromEntries(values(context, ["10.0.0.5", "fd00::5"]))).toEqual({
      IP: "fd00::5",
      IPS: "fd00::5,10.0.0.5",
    });
  });

  it("has the node's addresses with hostNetwork, and none before the pod has one", () => {
    const onHost = contextWith({ env: addresses }, {}, { hostNetwork: true });
    expect(Object.fromEntries(values(onHost, []))).toEqual({ IP: "192.0.2.10", IPS: "192.0.2.10" });
    expect(Object.fromEntries(values(contextWith({ env: addresses }), []))).toEqual({ IP: "", IPS: "" });
  });

  it("uses the service account default", () => {
    const env = [{ name: "SA", valueFrom: { fieldRef: { fieldPath: "spec.serviceAccountName" } } }];
    expect(values(contextWith({ env }))).toEqual([["SA", "default"]]);
  });

  it("refuses fields that variables cannot contain", () => {
    const env = ["metadata.labels", "status.phase", "spec.containers['a']"].map((fieldPath) => ({
      name: "X",
      valueFrom: { fieldRef: { fieldPath } },
    }));
    expect(messagesOf(faults(contextWith({ env })))).toEqual(
      ["metadata.labels", "status.phase", "spec.containers['a']"].map(
        (fieldPath, index) =>
          `spec.containers[0].env[${index}].valueFrom.fieldRef.fieldPath: is not supported here; use a path such as ` +
          `metadata.name or metadata.labels['app'], got "${fieldPath}"`,
      ),
    );
  });
});

describe("resourceFieldRef", () => {
  const resources = {
    limits: { cpu: "1500m", memory: "128Mi", "ephemeral-storage": "2Gi", "hugepages-2Mi": "4Mi" },
    requests: { cpu: "250m", memory: "100M" },
  };

  function resource(resource: string, divisor?: string, given: ContainerManifest["resources"] = resources) {
    const env = [{ name: "X", valueFrom: { resourceFieldRef: { resource, divisor } } }];
    return values(contextWith({ env, resources: given }))[0]?.[1];
  }

  test.each([
    ["limits.cpu", undefined, "2"],
    ["limits.cpu", "0", "2"],
    ["limits.cpu", "1m", "1500"],
    ["requests.cpu", undefined, "1"],
    ["limits.memory", undefined, "134217728"],
    ["limits.memory", "1Mi", "128"],
    ["requests.memory", "1Mi", "96"],
    ["limits.ephemeral-storage", "1Gi", "2"],
    ["limits.hugepages-2Mi", "1Mi", "4"],
    ["requests.ephemeral-storage", undefined, "0"],
  ])("%s divided by %s is %s, rounded up", (name, divisor, expected) => {
    expect(resource(name, divisor)).toBe(expected);
  });

  test.each([
    ["limits.cpu", "2"],
    ["limits.memory", "4294967296"],
    ["limits.ephemeral-storage", "10737418240"],
    ["limits.hugepages-2Mi", "0"],
    ["requests.cpu", "0"],
  ])("%s that is not set is %s: limits are the node's", (name, expected) => {
    expect(resource(name, undefined, {})).toBe(expected);
    expect(resource(name, undefined, { limits: { cpu: 0, memory: 0 } })).toBe(expected);
  });

  it("prefers the pod's limits to the node's", () => {
    const env = ["cpu", "memory", "ephemeral-storage"].map((name) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: `limits.${name}` } },
    }));
    const limits = { cpu: "500m", memory: "1Gi", "ephemeral-storage": "1Gi" };
    expect(Object.fromEntries(values(contextWith({ env }, {}, { resources: { limits } })))).toEqual({
      cpu: "1",
      memory: "1073741824",
      "ephemeral-storage": "10737418240",
    });
  });

  it("reads other containers, and init containers as they are set", () => {
    const env = ["other", "prepare"].map((containerName) => ({
      name: containerName,
      valueFrom: { resourceFieldRef: { containerName, resource: "limits.memory" } },
    }));
    const context = contextWith(
      {},
      {},
      {
        containers: [
          { name: "main", image: "app:1", env },
          { name: "other", image: "app:1" },
        ],
        initContainers: [{ name: "prepare", image: "app:1" }],
      },
    );
    expect(Object.fromEntries(values(context))).toEqual({ other: "4294967296", prepare: "0" });
  });

  it("refuses unknown containers, unknown resources and malformed quantities", () => {
    const env = [
      { containerName: "absent", resource: "limits.cpu" },
      { resource: "limits.gpu" },
      { resource: "limits.cpu", divisor: "1x" },
    ].map((resourceFieldRef) => ({ name: "X", valueFrom: { resourceFieldRef } }));
    expect(messagesOf(faults(contextWith({ env })))).toEqual([
      'spec.containers[0].env[0].valueFrom.resourceFieldRef.containerName: names no container of the pod, got "absent"',
      "spec.containers[0].env[1].valueFrom.resourceFieldRef.resource: must be limits or requests of cpu, memory, " +
        'ephemeral-storage or hugepages-<size>, such as limits.cpu, got "limits.gpu"',
      "spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor: unknown suffix; known are n, u, m, k, M, G, T, P, E, " +
        'Ki, Mi, Gi, Ti, Pi, Ei, got "1x"',
    ]);
  });
});

describe("faults of the environment", () => {
  it("name each missing object and key and the place that refers to it, all at once", () => {
    const envFrom = [{ configMapRef: { name: "absent" } }, { secretRef: { name: "settings" } }];
    const env = [
      { name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } },
      { name: "B", valueFrom: { configMapKeyRef: { name: "settings", key: "blob" } } },
      { name: "C", valueFrom: { secretKeyRef: { name: "login", key: "token" } } },
    ];
    const found = faults(contextWith({ envFrom, env }, { objects }));
    expect(messagesOf(found)).toEqual([
      "spec.containers[0].envFrom[0].configMapRef: ConfigMap shop/absent is missing; add it to objects.configMaps, or set " +
        "optional: true",
      "spec.containers[0].envFrom[1].secretRef: Secret shop/settings is missing; add it to objects.secrets, or set " +
        "optional: true",
      'spec.containers[0].env[0].valueFrom.configMapKeyRef: ConfigMap shop/settings has no key "colour"; did you mean ' +
        '"color"?',
      'spec.containers[0].env[1].valueFrom.configMapKeyRef: ConfigMap shop/settings has no key "blob"; it is in ' +
        "binaryData, which only volumes can contain",
      'spec.containers[0].env[2].valueFrom.secretKeyRef: Secret shop/login has no key "token"; add the key, or set ' +
        "optional: true",
    ]);
    expect(found[0]?.missing).toEqual({ kind: "ConfigMap", namespace: "shop", name: "absent" });
    expect(found[4]?.missing).toEqual({ kind: "Secret", namespace: "shop", name: "login", key: "token" });
  });

  it("name the namespace of an object that is in another one", () => {
    const envFrom = [{ secretRef: { name: "login" } }];
    expect(messagesOf(faults(contextWith({ envFrom }, { objects, metadata: { namespace: "test" } })))).toEqual([
      "spec.containers[0].envFrom[0].secretRef: Secret test/login is missing; the one given is in the namespace shop; set " +
        "its namespace to test",
    ]);
  });

  it("never show a value", () => {
    const secrets = [{ ...objects.secrets![0]!, data: { bad: "not base64!", nul: "AHNlY3JldA==" }, stringData: {} }];
    const env = [{ name: "NUL", value: "hid\0den" }];
    const envFrom = [{ secretRef: { name: "login" } }];
    expect(messagesOf(faults(contextWith({ env, envFrom }, { objects: { secrets } })))).toEqual([
      'spec.containers[0].envFrom[0].secretRef: the value of the key "bad" of Secret shop/login is not base64; put text ' +
        "into stringData",
      "spec.containers[0].envFrom[0]: contains a NUL character, which environment variables cannot have",
      "spec.containers[0].env[0].value: contains a NUL character, which environment variables cannot have",
    ]);
  });
});
