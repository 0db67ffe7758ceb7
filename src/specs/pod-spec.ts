import type { PodSandboxConfig } from "../proto.js";
import type { PodNamespaces } from "./namespaces.js";
import type { OverheadSpec, ResourcesSpec } from "./resources.js";
import type { SecuritySpec } from "./security.js";

/** Forwards a port of the node to the pod. At the pod's own address, all ports are reachable without an entry. */
export interface PortSpec {
  /** Port in the pod, 1 to 65535. */
  containerPort: number;
  /** Port on the node. @defaultValue none: nothing is forwarded */
  hostPort?: number | undefined;
  /** Protocol. @defaultValue "TCP" */
  protocol?: "TCP" | "UDP" | "SCTP" | undefined;
  /** Address of the node to listen on. @defaultValue all */
  hostIP?: string | undefined;
}

/** The contents of the containers' `/etc/resolv.conf`. */
export interface DnsSpec {
  /** Addresses of name servers. */
  servers?: readonly string[] | undefined;
  /** Domains in which short names are searched. */
  searches?: readonly string[] | undefined;
  /** Resolver options, such as `"ndots:5"`. */
  options?: readonly string[] | undefined;
}

/** Settings of pods and containers on Windows nodes. */
export interface WindowsSpec {
  /**
   * The user to run as; must exist in the image. Local or domain account: `user`, `DOMAIN\user`. @defaultValue the image's user
   */
  runAsUserName?: string | undefined;
  /** Contents of the GMSA credential spec, as JSON. */
  credentialSpec?: string | undefined;
  /**
   * Runs the container directly on the node. Must be the same for all containers of the pod. @defaultValue the pod's choice;
   * false
   */
  hostProcess?: boolean | undefined;
}

/** A directory below which each pod has its own log directory. */
export interface PodLogRoot {
  /** The parent directory; absolute. A kubelet uses `/var/log/pods`. */
  root: string;
}

/** A pod sandbox to run. Fields are named as in a Kubernetes manifest where it has them. */
export interface PodSpec extends PodNamespaces {
  /** Letters, digits, `-`, `_` and `.`. Name, namespace, uid and attempt together are unique on a node. */
  name: string;
  /** Letters, digits, `-`, `_` and `.`. @defaultValue "default" */
  namespace?: string | undefined;
  /** Distinguishes this pod from others of the same name. @defaultValue a random UUID */
  uid?: string | undefined;
  /** The number of sandboxes of this pod (the same name, namespace and uid) that were created before. @defaultValue 0 */
  attempt?: number | undefined;
  /** Labels, by which lists can be filtered. containerd does not filter by a key and value of more than 4096 bytes together. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Data to keep with the pod. Some annotations change what runtimes do. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Directory on the node for the logs of its containers: an absolute path, or `{ root }` for a directory of this pod alone in
   * the kubelet's layout, `<root>/<namespace>_<name>_<uid>`. All attempts of a pod share that directory. The owning handle of the
   * last attempt removes it with the pod, if the runtime is behind a socket or a named pipe. A directory given as a path is never
   * removed. Without a log directory, containerd writes no logs, and CRI-O uses a directory of its own.
   *
   * Containers of the same name and attempt in pods with the same directory write to the same file.
   */
  logDirectory?: string | PodLogRoot | undefined;
  /**
   * Host name as in RFC 1123, at most 63 characters. Not with `hostNetwork`, where the pod has the node's name.
   * @defaultValue the pod's name, shortened and with `-` instead of characters that a host name cannot contain
   */
  hostname?: string | undefined;
  /** Ports to forward from the node. */
  ports?: readonly PortSpec[] | undefined;
  /** DNS settings. @defaultValue the node's own `/etc/resolv.conf` */
  dns?: DnsSpec | undefined;
  /**
   * The runtime handler, which a RuntimeClass names, such as `"kata"`. It must be configured in the runtime.
   *
   * @defaultValue the runtime's default
   */
  runtimeHandler?: string | undefined;
  /** Kernel parameters of the pod's namespaces, such as `{ "net.ipv4.ip_unprivileged_port_start": "0" }`. */
  sysctls?: Readonly<Record<string, string>> | undefined;
  /**
   * The parent of the pod's cgroup: a path, or a slice (`"x.slice"`) if the runtime uses systemd. containerd reports the usage of
   * a pod (PodSandboxStats) only if this field is set. @defaultValue the runtime's choice
   */
  cgroupParent?: string | undefined;
  /**
   * Security settings of the sandbox, and of its containers unless they set their own. Only `privileged` must also be set for
   * each container.
   */
  security?: SecuritySpec | undefined;
  /**
   * The sum of the containers' resources: a hint for runtimes that size a virtual machine in advance. Enforces nothing. Since
   * Kubernetes 1.23.
   */
  resources?: ResourcesSpec | undefined;
  /** The resources that the pod needs beyond its containers. Also a hint. Since Kubernetes 1.23. */
  overhead?: OverheadSpec | undefined;
  /**
   * Makes the pod a Windows pod. Cannot be combined with settings for Linux (security, namespaces, sysctls, resources and so on).
   */
  windows?: WindowsSpec | undefined;
  /**
   * Seconds between stop signal and SIGKILL when this package stops a container of the pod that has no value of its own. CRI has
   * no field for it. @defaultValue see `ContainerSpec`
   */
  terminationGracePeriodSeconds?: number | undefined;
  /** Changes the wire message before it is sent, for settings without a field here. Must not be asynchronous. */
  patch?: ((config: PodSandboxConfig) => void) | undefined;
}
