import type { ContainerManifest, HookManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import { containerHash, goJson } from "./identity.js";
import { namespaceOf, type PodContext } from "./pod-context.js";
import { containerNameLabel, podLabels } from "./pod-labels.js";
import { portsOf } from "./ports.js";

/** Returns the labels of a sandbox: those of the pod, and those by which kubelets and `crictl` find it. */
export function sandboxLabels(context: PodContext): Record<string, string> {
  return { ...context.pod.metadata.labels, ...identityLabels(context) };
}

export function containerLabels(context: PodContext, { name }: ContainerManifest): Record<string, string> {
  return { ...identityLabels(context), [containerNameLabel]: name };
}

function identityLabels({ pod, uid }: PodContext): Record<string, string> {
  return {
    [podLabels.name]: pod.metadata.name,
    [podLabels.namespace]: namespaceOf({ pod }),
    [podLabels.uid]: uid,
  };
}

/**
 * Returns the annotations of a pod that the runtime sees: its own, and where the pod came from. A kubelet also adds when it first
 * saw the pod (`kubernetes.io/config.seen`), which would make the plan of one document differ each time.
 */
export function podAnnotations({ metadata }: PodManifest): Record<string, string> {
  return { "kubernetes.io/config.source": "api", ...metadata.annotations };
}

/** Returns the annotations of one attempt of a container. */
export function containerAnnotations(
  { spec }: PodManifest,
  container: ContainerManifest,
  attempt: number,
): Record<string, string> {
  const { terminationMessagePath = "/dev/termination-log", terminationMessagePolicy = "File" } = container;
  const preStop = container.lifecycle?.preStop;
  const ports = portsOf(spec, container);
  return {
    "io.kubernetes.container.hash": containerHash(container),
    "io.kubernetes.container.restartCount": String(attempt),
    "io.kubernetes.container.terminationMessagePath": terminationMessagePath,
    "io.kubernetes.container.terminationMessagePolicy": terminationMessagePolicy,
    "io.kubernetes.pod.terminationGracePeriod": String(spec.terminationGracePeriodSeconds ?? 30),
    ...(preStop && { "io.kubernetes.container.preStopHandler": goJson(orderedHook(preStop)) }),
    ...(ports.length > 0 && { "io.kubernetes.container.ports": goJson(ports.map(orderedPort)) }),
  };
}

function orderedPort({ name, hostPort, containerPort, protocol, hostIP }: ReturnType<typeof portsOf>[number]) {
  return {
    ...(name && { name }),
    ...(hostPort && { hostPort }),
    containerPort,
    protocol,
    ...(hostIP && { hostIP }),
  };
}

/** Orders the fields of a hook as the Kubernetes API does. */
function orderedHook({ exec, httpGet, tcpSocket, sleep }: HookManifest): object {
  return {
    exec,
    httpGet: httpGet && {
      path: httpGet.path ?? "/",
      port: httpGet.port,
      host: httpGet.host || undefined,
      scheme: httpGet.scheme ?? "HTTP",
      httpHeaders: httpGet.httpHeaders?.map(({ name, value }) => ({ name, value })),
    },
    tcpSocket: tcpSocket && { port: tcpSocket.port, host: tcpSocket.host || undefined },
    sleep: sleep && { seconds: sleep.seconds },
  };
}
