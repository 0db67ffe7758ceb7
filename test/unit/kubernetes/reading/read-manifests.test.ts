import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import type { InvalidManifestError } from "../../../../src/kubernetes/manifest/invalid-manifest-error.js";
import { readManifests } from "../../../../src/kubernetes/reading/read-manifests.js";
import { faultsOf, messagesOf } from "./support.js";

const template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}";
const workload = (apiVersion: string, kind: string, spec: string) =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: web, namespace: n, labels: {of: workload}}, spec: ${spec}}`;
const podNamed = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "i" }] },
});

test("reports all faults of all documents in one error, with positions", () => {
  const text = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    imagePullPolicy: Sometimes
    ports: [{containerPort: 80}, {hostPort: 1}]
  toleration: 5
---
kind: ConfigMap
apiVersion: v1
metadata: {name: C}
---
a: 'b
`;
  expect(faultsOf(text)).toEqual([
    {
      path: "spec.toleration",
      message: "unknown field; did you mean tolerations?",
      object: "Pod web",
      document: 1,
      line: 10,
      column: 3,
    },
    { path: "spec.containers[0].image", message: "is required", object: "Pod web", document: 1, line: 7, column: 5 },
    {
      path: "spec.containers[0].imagePullPolicy",
      message: 'must be one of "Always", "IfNotPresent", "Never", got "Sometimes"',
      object: "Pod web",
      document: 1,
      line: 8,
      column: 22,
    },
    {
      path: "spec.containers[0].ports[1].containerPort",
      message: "is required",
      object: "Pod web",
      document: 1,
      line: 9,
      column: 34,
    },
    {
      path: "metadata.name",
      message: "must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit, got \"C\"",
      object: "ConfigMap C",
      document: 2,
      line: 14,
      column: 18,
    },
    {
      path: "",
      message: "is not valid YAML: a quote, bracket, colon, comma or space is missing",
      document: 3,
      line: 17,
      column: 1,
    },
  ]);
});

test("names the first 20 faults in the message of the error, with their places", () => {
  const containers = Array.from({ length: 30 }, (_, index) => `\n  - name: c${index}`).join("");
  const error = (() => {
    try {
      return readManifests(`apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:${containers}\n`);
    } catch (caught) {
      return caught as InvalidManifestError;
    }
  })() as InvalidManifestError;
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error).toMatchObject({ code: "INVALID_INPUT", field: "spec.containers[0].image" });
  expect(error.faults).toHaveLength(30);
  const lines = error.details.split("\n");
  expect(lines[0]).toBe("spec.containers[0].image: is required (Pod p, line 6, column 5)");
  expect(lines[1]).toBe("spec.containers[1].image: is required (Pod p, line 7, column 5)");
  expect(lines).toHaveLength(21);
  expect(lines[20]).toBe('10 more faults are in the field "faults"');
});

test("reads pods and the objects that they refer to, in the order of the documents", () => {
  const { pods, objects, ignored } = readManifests(`
{apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: c, image: i, args: ["", x]}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "1"}, binaryData: {b: AAEC}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: x}, data: {b: eA==}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}, imagePullSecrets: [{name: s}]}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: runc, overhead: {podFixed: {cpu: 25m}}}
---
{apiVersion: v1, kind: Service, metadata: {name: w}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}
`);
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(["b", "a"]);
  expect(pods[0]?.spec.containers[0]?.args).toEqual(["", "x"]);
  expect(objects).toEqual({
    configMaps: [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "1" }, binaryData: { b: "AAEC" } },
    ],
    secrets: [
      { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "x" }, data: { b: "eA==" } },
    ],
    serviceAccounts: [
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" }, imagePullSecrets: [{ name: "s" }] },
    ],
    runtimeClasses: [
      {
        apiVersion: "node.k8s.io/v1",
        kind: "RuntimeClass",
        metadata: { name: "r" },
        handler: "runc",
        overhead: { podFixed: { cpu: "25m" } },
      },
    ],
    services: [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "w" },
        spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }] },
      },
    ],
  });
  expect(ignored).toEqual([]);
});

test.each(["Deployment", "ReplicaSet", "DaemonSet"])("makes a pod of the template of a %s", (kind) => {
  const { pods, ignored } = readManifests(
    workload("apps/v1", kind, `{replicas: 3, selector: {matchLabels: {app: web}}, template: ${template}}`).replace(
      kind === "DaemonSet" ? "replicas: 3, " : "",
      "",
    ),
  );
  expect(pods).toEqual([{ ...podNamed("web"), metadata: { name: "web", namespace: "n", labels: { app: "web" } } }]);
  expect(ignored.map(({ path }) => path)).toContain("spec.selector");
});

test("makes the first pod of a StatefulSet", () => {
  const { pods } = readManifests(workload("apps/v1", "StatefulSet", `{serviceName: db, template: ${template}}`));
  expect(pods[0]).toMatchObject({
    metadata: {
      name: "web-0",
      labels: { app: "web", "statefulset.kubernetes.io/pod-name": "web-0", "apps.kubernetes.io/pod-index": "0" },
    },
    spec: { hostname: "web-0", subdomain: "db" },
  });
});

test("makes a pod of Jobs and CronJobs, and refuses one that restarts for ever", () => {
  const never = template.replace("spec: {", "spec: {restartPolicy: Never, ");
  const text = [
    workload("batch/v1", "Job", `{backoffLimit: 2, template: ${never}}`),
    workload("batch/v1", "CronJob", `{schedule: "* * * * *", jobTemplate: {spec: {template: ${never}}}}`).replace(
      "web",
      "c",
    ),
  ].join("\n---\n");
  const { pods, ignored } = readManifests(text);
  expect(pods.map(({ metadata }) => [metadata.name, metadata.labels?.["batch.kubernetes.io/job-name"]])).toEqual([
    ["web", "web"],
    ["c", "c"],
  ]);
  expect(ignored.map(({ path, reason, document }) => ({ path, reason, document }))).toEqual([
    { path: "spec.backoffLimit", reason: "one pod is run, once", document: 1 },
    { path: "spec.schedule", reason: "the pod is run once, now", document: 2 },
  ]);
  expect(messagesOf(workload("batch/v1", "Job", `{template: ${template}}`))).toEqual([
    'spec.template.spec.restartPolicy: must be "OnFailure" or "Never" in a Job',
  ]);
  expect(messagesOf(workload("apps/v1", "Deployment", `{template: ${never}}`))).toEqual([
    'spec.template.spec.restartPolicy: must be "Always" here; use a Job for pods that end, got "Never"',
  ]);
});

test("ignores what only a cluster uses, and says so", () => {
  const { pods, ignored } = readManifests(`apiVersion: v1
kind: Pod
metadata: {name: p, resourceVersion: "5", managedFields: []}
spec:
  nodeSelector: {a: b}
  containers: [{name: c, image: i}]
status: {phase: Running}
`);
  expect(pods).toEqual([podNamed("p")]);
  expect(ignored).toEqual([
    { path: "status", reason: "reported by a cluster", object: "Pod p", document: 1, line: 7, column: 1 },
    {
      path: "metadata.resourceVersion",
      reason: "set by the API server",
      object: "Pod p",
      document: 1,
      line: 3,
      column: 21,
    },
    {
      path: "spec.nodeSelector",
      reason: "chooses a node; there is only one",
      object: "Pod p",
      document: 1,
      line: 5,
      column: 3,
    },
  ]);
});

test("reads lists of kubectl and of the API", () => {
  const list = { apiVersion: "v1", kind: "List", items: [podNamed("a"), podNamed("b")] };
  expect(readManifests(list).pods).toHaveLength(2);
  const { apiVersion, kind, ...item } = podNamed("c");
  expect(readManifests({ apiVersion: "v1", kind: "PodList", items: [item] }).pods).toEqual([
    { apiVersion, kind, ...item },
  ]);
  expect(
    messagesOf({
      kind: "List",
      items: [
        { ...podNamed("a"), spec: {} },
        { kind: "List", items: [] },
      ],
    }),
  ).toEqual([
    "items[0].spec.containers: is required",
    expect.stringContaining('items[1].kind: "List" is not supported'),
  ]);
});

test("reads objects, and copies them", () => {
  const given = podNamed("a");
  const { pods } = readManifests([given, podNamed("b")]);
  given.spec.containers[0]!.image = "changed";
  expect(pods.map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image])).toEqual([
    ["a", "i"],
    ["b", "i"],
  ]);
  expect(messagesOf([given, { ...given, spec: null }])).toEqual(["[1].spec: is required"]);
});

test.each([
  ["Ingress", 'kind: "Ingress" is not supported; known are Pod, '],
  [
    "Deploment",
    'kind: "Deploment" is not supported; did you mean Deployment? The option unknownKinds: "ignore" skips it',
  ],
])("refuses the kind %s, or ignores it on request", (kind, message) => {
  const text = `{apiVersion: x/v1, kind: ${kind}, metadata: {name: a}}`;
  expect(messagesOf(text)).toEqual([expect.stringContaining(message)]);
  expect(readManifests(text, { unknownKinds: "ignore" }).ignored).toEqual([
    expect.objectContaining({ path: "", reason: `the kind "${kind}" has no effect on a single node` }),
  ]);
});

test("distinguishes kinds of other API groups", () => {
  const text = "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {}}";
  expect(messagesOf(text.replace("{}", "{template: {}}"))).toEqual([
    'apiVersion: must be "v1"; the option unknownKinds: "ignore" skips other objects, got "serving.knative.dev/v1"',
  ]);
  expect(readManifests(text, { unknownKinds: "ignore" }).objects.services).toEqual([]);
});

test.each([
  ["kind: Pod", "apiVersion: is required"],
  ["apiVersion: v1", "kind: is required; known are Pod, "],
  ["- a", ": must be a Kubernetes object, got an array"],
  ["password", ": must be a Kubernetes object, got a string; readManifestFiles reads files"],
  ["kind: 5", "kind: must be a string, got a number; known are Pod, "],
])("refuses the document %s", (text, message) => {
  expect(messagesOf(text)[0]).toContain(message);
});

test("refuses two objects of one name", () => {
  const pod = JSON.stringify(podNamed("a"));
  const other = JSON.stringify({ ...podNamed("a"), metadata: { name: "a", namespace: "default" } });
  expect(faultsOf(`${pod}\n---\n${other}`)).toEqual([
    expect.objectContaining({
      path: "metadata.name",
      message: 'the object is defined twice (first in this text, line 1), got "a"',
      line: 3,
    }),
  ]);
});

test("gives objects without a namespace the namespace of the options", () => {
  const { pods } = readManifests([podNamed("a"), { ...podNamed("b"), metadata: { name: "b", namespace: "own" } }], {
    namespace: "team",
  });
  expect(pods.map(({ metadata }) => metadata.namespace)).toEqual(["team", "own"]);
});

test.each([
  [{ namespace: "A" }, "namespace"],
  [{ unknownKinds: "skip" }, "unknownKinds"],
  [{ unknownKind: "ignore" }, "unknownKind"],
])("refuses the options %j", (options, field) => {
  expect(() => readManifests("", options as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
});

test("refuses strings beyond 3 MiB, and bytes that are not UTF-8", () => {
  expect(messagesOf("#".repeat(3 * 1024 * 1024 + 1))).toEqual([": has 3145729 bytes; manifests have at most 3145728"]);
  expect(faultsOf(new Uint8Array([0xff, 0xfe]))).toEqual([{ path: "", message: "is not UTF-8" }]);
});

test("never shows values of Secrets, ConfigMaps, environments and headers", () => {
  const secret = "hunter2secret";
  const error = (() => {
    try {
      return readManifests(`
apiVersion: v1
kind: Secret
metadata: {name: a}
type: kubernetes.io/dockerconfigjson
data: {a: ${secret}!, .dockerconfigjson: ${Buffer.from(secret).toString("base64")}}
stringData: {b: [${secret}], c: {x: ${secret}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: {${secret}: 1}}, binaryData: {b: ${secret}-}}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    image: i
    env: [{name: A, value: {x: ${secret}}}, {name: B, value: "${secret}\\0"}, {name: C=${secret}}]
    command: tool --token ${secret}
    envFrom: [{prefix: "${secret}=", secretRef: {name: a}}]
    livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: Authorization, value: [${secret}]}]}}
---
a: "${secret}
`);
    } catch (caught) {
      return caught;
    }
  })() as InvalidManifestError;
  expect(error.faults).toHaveLength(13);
  expect(inspect(error, { depth: 9 })).not.toContain(secret);
  expect(JSON.stringify(error)).not.toContain(secret);
});

test.each([
  ["{a b: x}", "data[\"a b\"]: the key must be letters, digits, '-', '_' and '.', got \"a b\""],
  ["{a: 5}", "data.a: must be a string, got a number; put it in quotes"],
  [`{a: ${"x".repeat(1024 * 1024 + 1)}}`, ": must have at most 1048576 bytes of data, got 1048577"],
  ["[]", "data: must be a map, got an array"],
])("refuses the data %.30s of a ConfigMap", (data, expected) => {
  expect(messagesOf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: ${data}}`)).toEqual([expected]);
});

test("reads null in maps of strings as an empty string, as the API server does", () => {
  const { objects } = readManifests(
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {a: }}, data: {a: ~}}",
  );
  expect(objects.configMaps[0]).toMatchObject({ metadata: { labels: { a: "" } }, data: { a: "" } });
});

test.each([
  ["tls", "tls.crt: aGk=", ['data: must have the key "tls.key" in a secret of type kubernetes.io/tls']],
  ["tls", "tls.crt: '', tls.key: ''", []],
  ["ssh-auth", "key: aGk=", ['data: must have the key "ssh-privatekey" in a secret of type kubernetes.io/ssh-auth']],
  ["basic-auth", "", ['data: must have the key "username" or "password" in a secret of type kubernetes.io/basic-auth']],
  ["basic-auth", "password: aGk=", []],
])("knows the keys of a secret of type %s with the data {%s}", (type, data, expected) => {
  const secret = (field: string) =>
    `{apiVersion: v1, kind: Secret, metadata: {name: s}, type: kubernetes.io/${type}, ${field}: {${data}}}`;
  expect(messagesOf(secret("data"))).toEqual(expected);
  expect(messagesOf(secret("stringData"))).toEqual(expected);
});

test("refuses the address of a Service that is none", () => {
  const service = (address: string) =>
    `{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: '${address}'}}`;
  expect(["None", "10.0.0.1", "fd00::1", ""].flatMap((address) => messagesOf(service(address)))).toEqual([]);
  expect(messagesOf(service("db"))).toEqual(['spec.clusterIP: must be an IP address or "None", got "db"']);
});

test("refuses a URL, which names a file", () => {
  expect(() => readManifests(new URL("file:///pod.yaml"))).toThrow(/input: .*; readManifestFiles reads files/);
});

test("never throws anything but an InvalidInputError, whatever the input", () => {
  const words = fc.constantFrom(
    ...[
      "apiVersion",
      "v1",
      "kind",
      "Pod",
      "Deployment",
      "List",
      "metadata",
      "name",
      "spec",
      "containers",
      "image",
      "env",
    ],
    ...[
      "items",
      "template",
      "volumes",
      "volumeMounts",
      "resources",
      "limits",
      "cpu",
      "data",
      "__proto__",
      "a",
      "",
      "1",
      "yes",
    ],
  );
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      words,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(words, tie("value"), { maxKeys: 6 }),
    ),
  })).value;
  const pieces = fc.array(
    fc.constantFrom(
      "a",
      ": ",
      "- ",
      "\n",
      "  ",
      "{",
      "}",
      "[",
      "]",
      "'",
      '"',
      "&x ",
      "*x",
      "<<: ",
      "---\n",
      "!!int ",
      "? ",
      "|\n",
      "kind",
      "Pod",
      "#",
      "\t",
      "%",
      ",",
    ),
    { maxLength: 40 },
  );
  const check = (input: string | object) => {
    try {
      readManifests(input, { unknownKinds: "ignore" });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
    }
  };
  fc.assert(
    fc.property(value, (input) => {
      check(JSON.stringify(input));
      check({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: input });
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(pieces, (parts) => check(parts.join(""))),
    { numRuns: 1_000 },
  );
});
