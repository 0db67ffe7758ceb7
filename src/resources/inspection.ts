import { inspect } from "node:util";
import { redact } from "../internal/redact.js";
import type { JsonObject } from "../json/message-json.js";
import {
  type ContainerConfig,
  ContainerState,
  type ContainerStatus,
  type PodSandboxConfig,
  PodSandboxState,
  type PodSandboxStatus,
} from "../proto.js";
import { containerConfigFromInfo } from "../specs/container-from-info.js";
import { reportedPodConfig } from "../specs/pod-from-status.js";
import {
  argsIn,
  environmentIn,
  type InspectedMount,
  mountsIn,
  networkNamespaceIn,
  parseVerboseInfo,
  pidIn,
  terminalIn,
} from "../specs/verbose-info.js";

/**
 * A status with the runtime's verbose info, and the values that the client reads from the info. CRI does not specify the info, so
 * each of these values is `undefined` if the runtime does not report it, or not in a known form.
 *
 * `console.log` and `JSON.stringify` show the status and the info without the values of environment variables and other secrets.
 */
abstract class Inspection<Status> {
  readonly status: Status;
  /** The verbose info as the runtime reports it: JSON under the key `info`. It may contain secrets: see `redact`. */
  readonly info: Record<string, string>;
  #details: { readonly parsed: JsonObject | undefined } | undefined;

  /** @internal */
  constructor({ status, info }: { status: Status; info: Record<string, string> }) {
    this.status = status;
    this.info = info;
  }

  /**
   * The verbose info, parsed. Its fields depend on the runtime. Integers that are not exact as a JavaScript number are strings of
   * digits. It may contain secrets.
   */
  get details(): JsonObject | undefined {
    this.#details ??= { parsed: parseVerboseInfo(this.info) };
    return this.#details.parsed;
  }

  /** The OCI runtime spec that the main process was created from. It may contain secrets. */
  get runtimeSpec(): JsonObject | undefined {
    const spec = this.details?.runtimeSpec;
    return typeof spec === "object" && spec !== null && !Array.isArray(spec) ? spec : undefined;
  }

  /** The command line of the main process: the entry point and its arguments. */
  get args(): readonly string[] | undefined {
    return argsIn(this.details);
  }

  /**
   * The environment that the main process was created with: the variables of the image, the spec and the runtime. Invalid UTF-8 is
   * replaced with U+FFFD.
   */
  get env(): Readonly<Record<string, string>> | undefined {
    return environmentIn(this.details);
  }

  /**
   * All mounts, including those that the runtime adds, such as `/proc`. The mounts of the spec are in `status.mounts` of a
   * container.
   */
  get mounts(): readonly InspectedMount[] | undefined {
    return mountsIn(this.details);
  }

  /** @internal Returns the status and the redacted info, as `JSON.stringify` shows them. */
  toJSON(): { status: Status; info: Record<string, string> } {
    return { status: this.status, info: redactedInfo(this.info) };
  }

  /** @internal Returns what `console.log` shows. */
  [inspect.custom](): object {
    return this.toJSON();
  }
}

/** A container's status with the runtime's verbose info, as `container.inspect()` returns it. */
export class ContainerInspection extends Inspection<ContainerStatus> {
  /** The process id of the container's main process on the runtime's node; `undefined` unless the container runs. */
  get pid(): number | undefined {
    return this.status.state === ContainerState.CONTAINER_RUNNING ? pidIn(this.details) : undefined;
  }

  /** Whether the main process has a terminal. `attach` needs it. Docker with cri-dockerd does not report it. */
  get tty(): boolean | undefined {
    return terminalIn(this.details);
  }

  /** The configuration that the container was created with. Only containerd reports it. Its `envs` may contain secrets. */
  get config(): ContainerConfig | undefined {
    return containerConfigFromInfo(this.info);
  }
}

/** A pod's status with the runtime's verbose info, as `pod.inspect()` returns it. */
export class PodInspection extends Inspection<PodSandboxStatus> {
  /**
   * The process id of the pod's pause process on the runtime's node; `undefined` unless the pod is ready. CRI-O runs pods without a
   * pause process by default.
   */
  get pid(): number | undefined {
    return this.status.state === PodSandboxState.SANDBOX_READY ? pidIn(this.details) : undefined;
  }

  /** The path of the pod's network namespace on the node, for `nsenter --net`; `undefined` for a pod in the network of the node. */
  get networkNamespace(): string | undefined {
    return networkNamespaceIn(this.details);
  }

  /** The configuration that the pod was created with. Only containerd reports it. */
  get config(): PodSandboxConfig | undefined {
    return reportedPodConfig(this.status, this.info);
  }
}

/** Redacts the info. Leaves out values that are not JSON, because the redactor finds environment variables by field names. */
function redactedInfo(info: Readonly<Record<string, string>>): Record<string, string> {
  const shown = Object.entries(info).map(([key, value]) => [
    key,
    isJson(value) ? redact(value) : `[${value.length} characters]`,
  ]);
  return Object.fromEntries(shown);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
