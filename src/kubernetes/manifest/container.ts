import type { ContainerSecurityContextManifest } from "./security.js";

/** A container, an init container or a sidecar of a pod. */
export interface ContainerManifest {
  /** A DNS label; unique in the pod. */
  name: string;
  image: string;
  /** @defaultValue "Always" for the tag `latest` or no tag; else "IfNotPresent" */
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
  command?: readonly string[] | undefined;
  args?: readonly string[] | undefined;
  workingDir?: string | undefined;
  ports?: readonly ContainerPortManifest[] | undefined;
  env?: readonly EnvVarManifest[] | undefined;
  envFrom?: readonly EnvFromManifest[] | undefined;
  resources?: ResourcesManifest | undefined;
  volumeMounts?: readonly VolumeMountManifest[] | undefined;
  securityContext?: ContainerSecurityContextManifest | undefined;
  startupProbe?: ProbeManifest | undefined;
  livenessProbe?: ProbeManifest | undefined;
  readinessProbe?: ProbeManifest | undefined;
  lifecycle?: LifecycleManifest | undefined;
  /** Overrides the pod's `restartPolicy`. An init container with `Always` is a sidecar. Since Kubernetes 1.29 (sidecars), 1.34 (others). */
  restartPolicy?: "Always" | "OnFailure" | "Never" | undefined;
  /** What to do for certain exit codes; the first rule that matches counts. Since Kubernetes 1.34. */
  restartPolicyRules?: readonly RestartRuleManifest[] | undefined;
  /** @defaultValue "/dev/termination-log" */
  terminationMessagePath?: string | undefined;
  /** @defaultValue "File" */
  terminationMessagePolicy?: "File" | "FallbackToLogsOnError" | undefined;
  stdin?: boolean | undefined;
  stdinOnce?: boolean | undefined;
  tty?: boolean | undefined;
}

/** What to do if a container exits with certain codes. `RestartAllContainers` since Kubernetes 1.35. */
export interface RestartRuleManifest {
  action: "Restart" | "RestartAllContainers";
  exitCodes: { operator: "In" | "NotIn"; values: readonly number[] };
}

/** The protocol of a port. */
export type ProtocolName = "TCP" | "UDP" | "SCTP";

/** A port of a container. With `hostPort`, the runtime forwards a port of the node to it. */
export interface ContainerPortManifest {
  name?: string | undefined;
  containerPort: number;
  hostPort?: number | undefined;
  hostIP?: string | undefined;
  /** @defaultValue "TCP" */
  protocol?: ProtocolName | undefined;
}

/** An environment variable: a value, or where it comes from. */
export interface EnvVarManifest {
  name: string;
  /** May contain `$(NAME)` of earlier variables. @defaultValue "" */
  value?: string | undefined;
  valueFrom?: EnvSourceManifest | undefined;
}

/** Exactly one of the fields is set. */
export interface EnvSourceManifest {
  fieldRef?: FieldReferenceManifest | undefined;
  resourceFieldRef?: ResourceReferenceManifest | undefined;
  configMapKeyRef?: KeyReferenceManifest | undefined;
  secretKeyRef?: KeyReferenceManifest | undefined;
}

/** A field of the pod, such as `metadata.name` or `status.podIP`. */
export interface FieldReferenceManifest {
  /** @defaultValue "v1" */
  apiVersion?: string | undefined;
  fieldPath: string;
}

/** A request or limit of a container, divided by `divisor` and rounded up. */
export interface ResourceReferenceManifest {
  /** @defaultValue the container itself */
  containerName?: string | undefined;
  /** Such as `"limits.cpu"`. */
  resource: string;
  /** @defaultValue 1 */
  divisor?: QuantityManifest | undefined;
}

/** A key of a ConfigMap or Secret. With `optional`, the object or the key may be missing. */
export interface KeyReferenceManifest {
  name: string;
  key: string;
  optional?: boolean | undefined;
}

/** All entries of a ConfigMap or of a Secret as variables. */
export interface EnvFromManifest {
  prefix?: string | undefined;
  configMapRef?: OptionalReferenceManifest | undefined;
  secretRef?: OptionalReferenceManifest | undefined;
}

/** A ConfigMap or Secret by name. With `optional`, it may be missing. */
export interface OptionalReferenceManifest {
  name: string;
  optional?: boolean | undefined;
}

/** A quantity as in YAML: `"500m"`, `"128Mi"`, or a number. */
export type QuantityManifest = string | number;

/** Quantities by the name of the resource: `cpu`, `memory`, `ephemeral-storage`, `hugepages-2Mi`. */
export type ResourceList = Readonly<Record<string, QuantityManifest>>;

/** The resources of a container or a pod. */
export interface ResourcesManifest {
  limits?: ResourceList | undefined;
  /** @defaultValue the limits */
  requests?: ResourceList | undefined;
}

/** Where a container sees a volume. */
export interface VolumeMountManifest {
  /** The volume. */
  name: string;
  /** The path in the container. */
  mountPath: string;
  readOnly?: boolean | undefined;
  /** @defaultValue "Disabled" */
  recursiveReadOnly?: "Disabled" | "IfPossible" | "Enabled" | undefined;
  /** Mounts only this path of the volume. */
  subPath?: string | undefined;
  /** As `subPath`, with variables of the container: `$(NAME)`. */
  subPathExpr?: string | undefined;
  /** @defaultValue "None" */
  mountPropagation?: "None" | "HostToContainer" | "Bidirectional" | undefined;
}

/** A probe. Exactly one of `exec`, `httpGet`, `tcpSocket` and `grpc` is set. */
export interface ProbeManifest extends HandlerManifest {
  grpc?: { port: number; service?: string | undefined } | undefined;
  /** @defaultValue 0 */
  initialDelaySeconds?: number | undefined;
  /** @defaultValue 1 */
  timeoutSeconds?: number | undefined;
  /** @defaultValue 10 */
  periodSeconds?: number | undefined;
  /** @defaultValue 1 */
  successThreshold?: number | undefined;
  /** @defaultValue 3 */
  failureThreshold?: number | undefined;
  /** Replaces the pod's grace period if this probe stops the container. Not for readiness probes. */
  terminationGracePeriodSeconds?: number | undefined;
}

/** An action of a probe or of a hook. */
export interface HandlerManifest {
  exec?: { command: readonly string[] } | undefined;
  httpGet?: HttpGetManifest | undefined;
  tcpSocket?: { port: number | string; host?: string | undefined } | undefined;
}

/** A GET request to a container. */
export interface HttpGetManifest {
  /** A port, or the name of a port of the container. */
  port: number | string;
  /** @defaultValue "/" */
  path?: string | undefined;
  /** @defaultValue the address of the pod */
  host?: string | undefined;
  /** @defaultValue "HTTP" */
  scheme?: "HTTP" | "HTTPS" | undefined;
  httpHeaders?: readonly { name: string; value: string }[] | undefined;
}

/** What happens after a container started, and before it is stopped. */
export interface LifecycleManifest {
  /** Runs after the container started. If it fails, the container is stopped. */
  postStart?: HookManifest | undefined;
  /** Runs before the container is stopped. It counts in the grace period. */
  preStop?: HookManifest | undefined;
  /** Since Kubernetes 1.33. */
  stopSignal?: string | undefined;
}

/** A hook. Exactly one field is set. */
export interface HookManifest extends HandlerManifest {
  /** Since Kubernetes 1.30. */
  sleep?: { seconds: number } | undefined;
}
