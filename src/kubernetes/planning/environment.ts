import type { KeyValue } from "../../proto.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { PodContext } from "./pod-context.js";

/** The environment variables of one container attempt. Prints no values. */
export interface ContainerEnvironment {
  /** The names, in the order in which the variables are set. */
  readonly names: readonly string[];
  /** Replaces `$(NAME)` by the variable's value, and `$$` by `$`. References to unknown variables stay. */
  expand(text: string): string;
  toKeyValues(): KeyValue[];
}

/** Resolves the environment of a container. Missing objects and keys become faults. */
export declare function environmentOf(
  context: PodContext,
  container: ContainerManifest,
  podIPs: readonly string[],
  faults: ManifestFaults,
): ContainerEnvironment;
