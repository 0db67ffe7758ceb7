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
   * Processors of the node. CRI takes a CPU limit as a share of all of them. Set it where this program runs on another machine.
   * @defaultValue the processors of this machine
   */
  processors?: number | undefined;
}

/** A container to create in a pod: what CreateContainer needs, in the words of a Kubernetes manifest where it has words for it. */
export interface ContainerSpec {
  /** Name. Letters, digits, `-`, `_` and `.`. Name and attempt together are unique within the pod. */
  name: string;
  /** How often a container of this name was created in this pod before. @defaultValue 0 */
  attempt?: number | undefined;
  /** What to run: a reference, an image id, or a reference with annotations and runtime handler. */
  image: ImageInput;
  /** Replaces the image's ENTRYPOINT, and drops its CMD. Not run by a shell. @defaultValue the image's */
  command?: readonly string[] | undefined;
  /** Replaces the image's CMD. @defaultValue the image's, unless {@link command} is set */
  args?: readonly string[] | undefined;
  /**
   * Environment variables on top of the image's. Values are strings or bytes that are UTF-8: runtimes replace other bytes with U+FFFD.
   * Values appear in no log or error.
   */
  env?: Environment | undefined;
  /** Directory to start in; absolute. @defaultValue the image's, else `/` */
  workingDir?: string | undefined;
  /** Files of the node and of images to mount. */
  mounts?: readonly MountSpec[] | undefined;
  /** Devices of the node to pass on. */
  devices?: readonly DeviceSpec[] | undefined;
  /** Devices by their fully qualified Container Device Interface name, such as `"nvidia.com/gpu=all"`. Since Kubernetes 1.27. */
  cdiDevices?: readonly string[] | undefined;
  /** To find the container by. */
  labels?: Readonly<Record<string, string>> | undefined;
  /** To keep with the container; some runtimes are steered by them. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Log file below the pod's `logDirectory`; relative, without `..`. Folders in it are created on the node: by containerd, and on CRI-O
   * and Docker by this package if it runs there. `""` turns logs off on containerd. Without a `logDirectory` of the pod there is no
   * default.
   *
   * @defaultValue `<name>.<attempt>.log`, where a name of more than 209 characters is shortened
   */
  logPath?: string | undefined;
  /** Keeps standard input open for attach. Without it, reading gives end of file at once. @defaultValue false */
  stdin?: boolean | undefined;
  /** Closes standard input for good when the first attached client leaves; needs {@link stdin}. @defaultValue false */
  stdinOnce?: boolean | undefined;
  /** Gives the container a terminal; its stderr then goes into stdout. @defaultValue false */
  tty?: boolean | undefined;
  /** Limits and promises of CPU and memory. @defaultValue no limits */
  resources?: ResourcesSpec | undefined;
  /** What is not set here is taken from the pod's `security`. */
  security?: ContainerSecuritySpec | undefined;
  /** Whose processes it sees. @defaultValue what the pod says: `"container"` unless `shareProcessNamespace` or `hostPID` */
  processes?: ProcessNamespace | undefined;
  /**
   * The signal that asks it to stop. Since Kubernetes 1.33; older runtimes use the image's.
   * @defaultValue the image's STOPSIGNAL, else SIGTERM
   */
  stopSignal?: StopSignal | undefined;
  /** Settings for a container in a Windows pod. `security` cannot stand beside it; of `resources`, the limits of cpu and memory can. */
  windows?: WindowsContainerSpec | undefined;
  /**
   * Seconds between its stop signal and SIGKILL when this package stops the container or its pod. CRI has no field for it, so an
   * annotation keeps it with the container. @defaultValue the pod's; else 30, as in Kubernetes, for `container.stop()`, and none for
   * `pod.stop()` and `await using`
   */
  terminationGracePeriodSeconds?: number | undefined;
  /** The last word on the wire message, for what has no field here. Must not be asynchronous. */
  patch?: ((config: ContainerConfig) => void) | undefined;
}
