import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  type ContainerManifest,
  type KubernetesObjects,
  type PlanOptions,
  planPod,
} from "../../../../src/kubernetes/index.js";
import { recordedNode } from "../../../support/kubelet-recordings.js";
import { container, planOf } from "./plan-of.js";

const login: KubernetesObjects = {
  secrets: [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "login" }, stringData: { password: "hunter2hunter2" } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "registry" },
      type: "kubernetes.io/dockercfg",
      stringData: { ".dockercfg": '{"registry.example":{"password":"hunter2hunter2"}}' },
    },
  ],
};

/** A container that receives a secret in every way. */
const secretive: ContainerManifest = container({
  command: ["app", "$(PASSWORD)"],
  args: ["--to=$(DIRECT)"],
  env: [
    { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
    { name: "DIRECT", value: "hunter2hunter2" },
  ],
  envFrom: [{ prefix: "ALL_", secretRef: { name: "login" } }],
  volumeMounts: [
    { name: "login", mountPath: "/login" },
    { name: "scratch", mountPath: "/scratch", subPathExpr: "$(PASSWORD)/x" },
  ],
  livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: "X-Key", value: "key of the header" }] } },
  lifecycle: { preStop: { httpGet: { port: 80, httpHeaders: [{ name: "X-Key", value: "key of the header" }] } } },
});

function secretivePlan(changes: Partial<ContainerManifest> = {}, objects = login) {
  return planOf(
    {
      containers: [{ ...secretive, ...changes }],
      imagePullSecrets: [{ name: "registry" }],
      volumes: [
        { name: "login", secret: { secretName: "login" } },
        { name: "scratch", emptyDir: {} },
        { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
      ],
    },
    { objects, tokens: [{ token: "hunter2hunter2" }] },
  );
}

describe("a plan as JSON", () => {
  test("lists directories, files and messages in the order in which a kubelet makes them", () => {
    const plan = planOf(
      {
        initContainers: [container({ name: "init" }), container({ name: "proxy", restartPolicy: "Always" })],
        volumes: [
          { name: "scratch", emptyDir: {} },
          { name: "art", image: { reference: "art:1" } },
        ],
      },
      { metadata: { uid: "u" } },
    );
    const { directories, files, messages, containers } = JSON.parse(JSON.stringify(plan));
    expect(directories).toEqual([
      "/var/lib/kubelet/pods/u",
      "/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/scratch",
      "/var/lib/kubelet/pods/u/containers/init",
      "/var/lib/kubelet/pods/u/containers/proxy",
      "/var/lib/kubelet/pods/u/containers/main",
      "/var/log/pods/default_web_u",
      "/var/log/pods/default_web_u/init",
      "/var/log/pods/default_web_u/proxy",
      "/var/log/pods/default_web_u/main",
    ]);
    expect(files.map(({ path }: { path: string }) => path.replace(/[0-9a-f]{8}$/, ""))).toEqual([
      "/var/lib/kubelet/pods/u/etc-hosts",
      "/var/lib/kubelet/pods/u/containers/init/",
      "/var/lib/kubelet/pods/u/containers/proxy/",
      "/var/lib/kubelet/pods/u/containers/main/",
    ]);
    type Message = { rpc: string; container?: string; image?: string };
    expect(messages.map(({ rpc, container, image }: Message) => `${rpc} ${container ?? image ?? ""}`)).toEqual([
      "RunPodSandbox ",
      "PullImage art:1",
      "PullImage app:1",
      "CreateContainer init",
      "StartContainer init",
      "CreateContainer proxy",
      "StartContainer proxy",
      "CreateContainer main",
      "StartContainer main",
    ]);
    expect(containers.map(({ kind }: { kind: string }) => kind)).toEqual(["init", "sidecar", "main"]);
  });

  test("contains probes with their defaults, and hooks", () => {
    const fields: Partial<ContainerManifest> = {
      readinessProbe: { tcpSocket: { port: 80 } },
      lifecycle: { preStop: { sleep: { seconds: 1 } } },
    };
    const { containers } = planOf({ containers: [container(fields)] }).toJSON();
    expect(containers).toMatchObject([
      {
        readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 1 },
        preStop: { sleep: { seconds: 1 } },
      },
    ]);
  });

  test("shows no secret, and neither do util.inspect and errors", () => {
    const plan = secretivePlan();
    const shown = [
      JSON.stringify(plan),
      inspect(plan, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      inspect(plan.containers, { depth: Number.POSITIVE_INFINITY }),
      inspect(plan.volumes, { depth: Number.POSITIVE_INFINITY }),
      JSON.stringify(plan.volumes, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ];
    for (const text of shown) expect(text).not.toContain("hunter2");
    for (const text of shown.slice(0, 2)) expect(text).not.toContain("key of the header");
    expect(shown[0]).toContain("$(PASSWORD)/x");
    expect(shown[0]).toContain("<14 bytes>");
  });
});

describe("the difference of two plans", () => {
  test("of the same document is empty", () => {
    expect(secretivePlan().diff(secretivePlan())).toEqual({ changes: [], replaces: false });
  });

  test("names fields by the names of their list's elements", () => {
    const before = planOf({ containers: [container({ env: [{ name: "LEVEL", value: "info" }] })] });
    const env = [
      { name: "FIRST", value: "x" },
      { name: "LEVEL", value: "debug" },
    ];
    const after = planOf({ containers: [container({ env, args: ["-v"] })] });
    const { changes, replaces } = before.diff(after);
    const config = 'messages["CreateContainer main"].request.config';
    expect(replaces).toBe(true);
    expect(changes).toEqual([
      { path: `${config}.envs.LEVEL.value`, before: "[redacted]", after: "[redacted]" },
      { path: `${config}.envs.FIRST`, after: { key: "FIRST", value: "[redacted]" } },
      { path: `${config}.args`, after: ["-v"] },
    ]);
  });

  test("shows that a Secret has changed, but not its content, and keeps the pod", () => {
    const [password, registry] = login.secrets!;
    const changed = { secrets: [{ ...password!, stringData: { password: "correct horse battery" } }, registry!] };
    const { changes, replaces } = secretivePlan().diff(secretivePlan({}, changed));
    expect(replaces).toBe(false);
    expect(changes.map(({ path }) => path)).toEqual([
      "volumes.login.files.password.content",
      'subPaths["/var/lib/kubelet/pods/<uid>/volume-subpaths/scratch/main/1"].subPath',
      'messages["CreateContainer main"].request.config.command[1]',
      'messages["CreateContainer main"].request.config.envs.ALL_password.value',
      'messages["CreateContainer main"].request.config.envs.PASSWORD.value',
    ]);
    expect(JSON.stringify(changes)).not.toMatch(/hunter2|horse/);
  });

  test("of another node keeps the pod", () => {
    const { changes, replaces } = planOf().diff(planOf({}, { node: { seccompDefault: true } }));
    expect(replaces).toBe(false);
    expect(changes).toEqual([
      {
        path: 'messages["CreateContainer main"].request.config.linux.securityContext.seccomp.profileType',
        before: "Unconfined",
      },
    ]);
  });

  test("needs a plan", () => {
    expect(() => planOf().diff({} as never)).toThrow("other: must be a plan");
    expect(() => planOf().diff(undefined as never)).toThrow("other: must be a plan");
  });
});

test("later changes of the arguments do not affect a plan", () => {
  const spec = { containers: [container({})], volumes: [{ name: "login", secret: { secretName: "login" } }] };
  const objects = structuredClone(login);
  const node = structuredClone(recordedNode);
  const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec } as const;
  const plan = planPod(manifest, { node, objects });
  const before = [JSON.stringify(plan), plan.volumes];
  spec.containers[0]!.image = "other:1";
  Object.assign(objects.secrets![0]!, { stringData: {} });
  node.seccompDefault = true;
  expect([JSON.stringify(plan), plan.volumes]).toEqual(before);
});

test("unknown options are refused", () => {
  const options = { node: recordedNode, object: {} } as PlanOptions;
  expect(() => planPod(planOf().pod, options)).toThrow("object: unknown option; did you mean objects?");
});
