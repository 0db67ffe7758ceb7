import type { PodSandboxConfig } from "../proto.js";
import type { PodNamespaces } from "./namespaces.js";
import type { OverheadSpec, ResourcesSpec } from "./resources.js";
import type { SecuritySpec } from "./security.js";

/** A port of the pod that the node forwards to. Ports need no mention to be reachable at the pod's own address. */
export interface PortSpec {
  /** Port in the pod, 1 to 65535. */
  containerPort: number;
  /** Port on the node. @defaultValue none: nothing is forwarded */
  hostPort?: number | undefined;
  /** @defaultValue "TCP" */
  protocol?: "TCP" | "UDP" | "SCTP" | undefined;
  /** Address of the node to listen on. @defaultValue all */
  hostIP?: string | undefined;
}

/** What goes into the containers' `/etc/resolv.conf`. */
export interface DnsSpec {
  /** Addresses of name servers. */
  servers?: readonly string[] | undefined;
  /** Domains to search short names in. */
  searches?: readonly string[] | undefined;
  /** Resolver options, such as `"ndots:5"`. */
  options?: readonly string[] | undefined;
}

/** Settings of pods and containers on Windows nodes. */
export interface WindowsSpec {
  /** The user to run as; must exist in the image. Local or domain account: `user`, `DOMAIN\user`. @defaultValue the image's user */
  runAsUserName?: string | undefined;
  /** Contents of the GMSA credential spec, as JSON. */
  credentialSpec?: string | undefined;
  /** Runs on the node itself rather than in isolation. All containers of the pod, or none. @defaultValue the pod's choice; false */
  hostProcess?: boolean | undefined;
}

/** Asks for a log directory for each pod. */
export interface PodLogRoot {
  /** The directory above it; absolute. A kubelet uses `/var/log/pods`. */
  root: string;
}

/** A pod to run: what RunPodSandbox needs, in the words of a Kubernetes manifest where it has words for it. */
export interface PodSpec extends PodNamespaces {
  /** Name. Letters, digits, `-`, `_` and `.`. Name, namespace, uid and attempt together are unique on a node. */
  name: string;
  /** @defaultValue "default" */
  namespace?: string | undefined;
  /** Tells this pod from earlier and later ones of the same name. @defaultValue a random UUID */
  uid?: string | undefined;
  /** How often the sandbox of this very pod was made before. @defaultValue 0 */
  attempt?: number | undefined;
  /** To find the pod by. Runtimes filter lists by labels; containerd leaves out pairs above 4096 bytes there. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** To keep with the pod; some runtimes are steered by them. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Directory on the node for the logs of its containers: an absolute path, or `{ root }` for a directory of this pod's own in the
   * kubelet's layout, `<root>/<namespace>_<name>_<uid>`. All attempts of a pod share it. The owning handle of the last one removes
   * it with the pod, if the runtime is behind a socket or a named pipe; any other directory stays. Without one containerd writes no
   * logs, while CRI-O picks a directory of its own.
   *
   * Containers of the same name and attempt in pods with one directory write to the same file.
   */
  logDirectory?: string | PodLogRoot | undefined;
  /**
   * Host name, at most 63 characters of RFC 1123. Not with `hostNetwork`, where the name is the node's.
   * @defaultValue the pod's name, shortened and with `-` for what a host name cannot hold
   */
  hostname?: string | undefined;
  /** Ports to forward from the node. */
  ports?: readonly PortSpec[] | undefined;
  /** @defaultValue the node's own `/etc/resolv.conf` */
  dns?: DnsSpec | undefined;
  /** The runtime handler (what a RuntimeClass names), such as `"kata"`. It must be configured in the runtime. @defaultValue the runtime's default */
  runtimeHandler?: string | undefined;
  /** Kernel parameters of the pod's namespaces, such as `{ "net.ipv4.ip_unprivileged_port_start": "0" }`. */
  sysctls?: Readonly<Record<string, string>> | undefined;
  /**
   * The cgroup to put the pod's cgroup under: a path, or a slice (`"x.slice"`) where the runtime uses systemd. containerd tells
   * the usage of pods (PodSandboxStats) only with it. @defaultValue the runtime's choice
   */
  cgroupParent?: string | undefined;
  /** Applies to the sandbox and, unless a container says otherwise, to its containers; `privileged` each container must ask for. */
  security?: SecuritySpec | undefined;
  /** The sum of what the containers will ask for: a hint for runtimes that size a virtual machine up front. Enforces nothing by itself. Since Kubernetes 1.23. */
  resources?: ResourcesSpec | undefined;
  /** What the pod costs beyond its containers; a hint of the same kind. Since Kubernetes 1.23. */
  overhead?: OverheadSpec | undefined;
  /** Makes it a Windows pod; settings of Linux (security, namespaces, sysctls, resources …) cannot stand beside it. */
  windows?: WindowsSpec | undefined;
  /**
   * Seconds that each container has between its stop signal and SIGKILL when this package stops it or its pod, where the container
   * has no value of its own. CRI has no field for it. @defaultValue see `ContainerSpec`
   */
  terminationGracePeriodSeconds?: number | undefined;
  /** The last word on the wire message, for what has no field here. Must not be asynchronous. */
  patch?: ((config: PodSandboxConfig) => void) | undefined;
}
