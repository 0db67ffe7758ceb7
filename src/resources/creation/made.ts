import type { ContainerConfig, PodSandboxConfig } from "../../proto.js";
import type { LogFolder } from "../log-folder.js";

/** A pod sandbox that this program created or adopted. */
export interface MadePod {
  id: string;
  /** The configuration as it was sent. */
  config: PodSandboxConfig;
  terminationGracePeriodSeconds: number | undefined;
  /** The log directory, if it is the pod's own and removed with it. */
  ownLogDirectory: string | undefined;
  adopted: boolean;
}

/** A container that this program created or adopted. */
export interface MadeContainer {
  id: string;
  podSandboxId: string;
  /** The configuration of the pod, which CreateContainer repeats. */
  podConfig: PodSandboxConfig;
  /** The configuration as it was sent. */
  config: ContainerConfig;
  terminationGracePeriodSeconds: number | undefined;
  adopted: boolean;
  /** The folders that were created for its log. The next attempt has its log there, too. */
  logFolder?: LogFolder | undefined;
}
