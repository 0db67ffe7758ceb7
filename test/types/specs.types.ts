// Specs: fields that compile, and fields that must not.
import type { CallOptions, ConnectOptions, ContainerSpec, PodSpec } from "k8s-cri-client";
import { CriClient } from "k8s-cri-client";

const cri = CriClient.lazy({ endpoint: "/run/x.sock" });

export const pod: PodSpec = {
  name: "demo",
  namespace: "default",
  labels: { app: "demo" },
  ports: [{ containerPort: 80, hostPort: 8080, protocol: "TCP" }],
  dns: { servers: ["10.0.0.10"] },
  sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
  hostNetwork: false,
  patch: (config) => {
    config.annotations.more = "yes";
  },
};

export const container: ContainerSpec = {
  name: "main",
  image: "docker.io/library/busybox:1.37",
  command: ["sleep", "60"],
  env: { GREETING: "hello" },
  resources: { requests: { cpu: "100m" }, limits: { cpu: 0.5, memory: "128Mi", "hugepages-2Mi": "64Mi" } },
  terminationGracePeriodSeconds: 5,
};

// Options may be undefined.
export const undecided: PodSpec = { name: "demo", uid: undefined, labels: undefined };
export const options: CallOptions = { timeoutMs: undefined, signal: undefined, retry: false };

// @ts-expect-error A pod needs a name.
export const nameless: PodSpec = {};

// @ts-expect-error A container needs an image.
export const imageless: ContainerSpec = { name: "main" };

// @ts-expect-error The field does not exist.
export const misspelt: PodSpec = { name: "demo", lables: { app: "demo" } };

// @ts-expect-error Fields of the wire message do not exist here.
export const wire: PodSpec = { name: "demo", logDirectoryPath: "/var/log", metadata: { name: "demo" } };

// @ts-expect-error A command is a list.
export const line: ContainerSpec = { name: "main", image: "busybox", command: "sleep 60" };

// @ts-expect-error Ports are numbers.
export const port: PodSpec = { name: "demo", ports: [{ containerPort: "80" }] };

// @ts-expect-error Protocols are upper case.
export const protocol: PodSpec = { name: "demo", ports: [{ containerPort: 80, protocol: "tcp" }] };

// @ts-expect-error Seconds are numbers.
export const grace: ContainerSpec = { name: "main", image: "busybox", terminationGracePeriodSeconds: "5s" };

// @ts-expect-error Limits exist for CPU, memory and huge pages.
export const resources: ContainerSpec = { name: "main", image: "busybox", resources: { limits: { disk: "1Gi" } } };

// Units are part of names: there is no `timeout` or `deadline` in milliseconds.
// @ts-expect-error
export const timeout: CallOptions = { timeout: 1_000 };
// @ts-expect-error
export const deadline: CallOptions = { deadline: 1_000 };
// @ts-expect-error
export const connectTimeout: ConnectOptions = { connectTimeout: 1_000 };
// @ts-expect-error A signal cannot be a default.
export const defaults: ConnectOptions = { defaults: { signal: new AbortController().signal } };
// @ts-expect-error A grace period is given in seconds.
void cri.containers.get("id").stop({ gracePeriodMs: 1_000 });
// @ts-expect-error A lazy client needs an endpoint.
CriClient.lazy({});
// @ts-expect-error Pull policies are missing, always and never.
void cri.images.ensure("busybox", { policy: "IfNotPresent" });
// @ts-expect-error Pod states are ready and notReady.
void cri.pods.list({ state: "running" });
