import type { ContainerConfig } from "../proto.js";
import type { Environment } from "./environment.js";
import type { ImageInput } from "./image-ref.js";
import type { DeviceSpec, MountSpec } from "./mounts.js";
import type { ProcessNamespace } from "./namespaces.js";
import type { WindowsSpec } from "./pod-spec.js";
import type { ResourcesSpec } from "./resources.js";
import type { ContainerSecuritySpec } from "./security.js";
import type { StopSignal } from "./signal.js";

/** Settings of a container on a Windows node. */
export interface WindowsContainerSpec extends WindowsSpec {
  /**
   * The number of processors of the node. CRI expresses a CPU limit as a share of all processors. Set this field if this program
   * runs on another machine.
   * @defaultValue the number of processors of this machine
   */
  processors?: number | undefined;
}

/** A container to create in a pod. Fields are named as in a Kubernetes manifest where it has them. */
export interface ContainerSpec {
  /** Letters, digits, `-`, `_` and `.`. Name and attempt together are unique within the pod. */
  name: string;
  /** The number of containers of this name that were created in this pod before. @defaultValue 0 */
  attempt?: number | undefined;
  /** The image: a reference, an image id, or a reference with annotations and runtime handler. */
  image: ImageInput;
  /** Replaces the image's ENTRYPOINT and omits its CMD. No shell is involved. @defaultValue the image's */
  command?: readonly string[] | undefined;
  /** Replaces the image's CMD. @defaultValue the image's, unless {@link command} is set */
  args?: readonly string[] | undefined;
  /**
   * Environment variables, added to the image's. Values are strings or UTF-8 bytes: other bytes are refused, because runtimes
   * replace them with U+FFFD. Values appear in no log or error.
   */
  env?: Environment | undefined;
  /** Working directory; absolute. @defaultValue the image's, else `/` */
  workingDir?: string | undefined;
  /** Files and directories of the node, and images, to mount. */
  mounts?: readonly MountSpec[] | undefined;
  /** Devices of the node that the container may use. */
  devices?: readonly DeviceSpec[] | undefined;
  /** Devices by their fully qualified Container Device Interface name, such as `"nvidia.com/gpu=all"`. Since Kubernetes 1.27. */
  cdiDevices?: readonly string[] | undefined;
  /** Labels, by which lists can be filtered. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Data to keep with the container. Some annotations change what runtimes do. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Log file below the pod's `logDirectory`; relative, without `..`. Its folders are created on the node: by containerd, and on
   * CRI-O and Docker by this package if it runs on the node. `""` disables logs on containerd.
   *
   * @defaultValue `<name>.<attempt>.log`, with a name of more than 209 characters shortened; nothing without a `logDirectory` of
   *   the pod
   */
  logPath?: string | undefined;
  /** Keeps standard input open for attach. Otherwise the process reads the end of file at once. @defaultValue false */
  stdin?: boolean | undefined;
  /** Closes standard input when the first attached client disconnects; needs {@link stdin}. @defaultValue false */
  stdinOnce?: boolean | undefined;
  /** Allocates a terminal; its stderr is then part of stdout. @defaultValue false */
  tty?: boolean | undefined;
  /** Requests and limits of CPU and memory. @defaultValue no limits */
  resources?: ResourcesSpec | undefined;
  /** Security settings. Those that are not set come from the pod's `security`. */
  security?: ContainerSecuritySpec | undefined;
  /**
   * The processes that the container sees. @defaultValue the pod's setting: `"container"` unless `shareProcessNamespace` or
   * `hostPID`
   */
  processes?: ProcessNamespace | undefined;
  /**
   * The signal that stops the container. Since Kubernetes 1.33; older runtimes use the image's.
   * @defaultValue the image's STOPSIGNAL, else SIGTERM
   */
  stopSignal?: StopSignal | undefined;
  /**
   * Settings for a container in a Windows pod. Cannot be combined with `security`, or with any `resources` other than the limits
   * of cpu and memory.
   */
  windows?: WindowsContainerSpec | undefined;
  /**
   * Seconds between the stop signal and SIGKILL when this package stops the container or its pod. CRI has no field for it, so
   * this package keeps it in an annotation of the container.
   *
   * @defaultValue the pod's value. Without one, `container.stop()` uses 30 as in Kubernetes, and `pod.stop()` and `await using`
   *   use no grace period
   */
  terminationGracePeriodSeconds?: number | undefined;
  /** Changes the wire message before it is sent, for settings without a field here. Must not be asynchronous. */
  patch?: ((config: ContainerConfig) => void) | undefined;
}
