import { InvalidManifestError, type PodManifestSpec } from "../../../../src/kubernetes/index.js";
import { type ManifestFault, ManifestFaults } from "../../../../src/kubernetes/manifest/invalid-manifest-error.js";
import type { PodContext } from "../../../../src/kubernetes/planning/pod-context.js";

/** Returns the context of the pod `web` on a node with 2 CPUs and 4 GiB. */
export function contextOf(
  spec: Partial<PodManifestSpec> = {},
  {
    node,
    metadata,
    ...others
  }: Partial<Omit<PodContext, "node">> & {
    node?: Partial<PodContext["node"]>;
    metadata?: Partial<PodContext["pod"]["metadata"]>;
  } = {},
): PodContext {
  const containers = [{ name: "main", image: "app:1" }];
  return {
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "shop", ...metadata },
      spec: { containers, ...spec },
    },
    uid: "11111111-2222-3333-4444-555555555555",
    podDirectory: "/pods/uid",
    hostname: "web",
    hostDomain: "",
    runtimeHandler: "",
    podMemoryLimitBytes: undefined,
    userNamespace: undefined,
    objects: {},
    tokens: [],
    node: {
      nodeName: "node1",
      addresses: ["192.0.2.10"],
      allocatable: { cpu: "2", memory: "4Gi", "ephemeral-storage": "10Gi" },
      recursiveReadOnlyMounts: {},
      selinuxEnabled: false,
      ...node,
    } as PodContext["node"],
    ...others,
  };
}

/** Runs a step of planning. Fails if it finds faults. */
export function planned<T>(step: (faults: ManifestFaults) => T): T {
  const faults = new ManifestFaults();
  const result = step(faults);
  faults.throwIfAny();
  return result;
}

/** Runs a step of planning and returns its faults. */
export function faultsOf(step: (faults: ManifestFaults) => unknown): readonly ManifestFault[] {
  const faults = new ManifestFaults();
  step(faults);
  try {
    faults.throwIfAny();
  } catch (error) {
    if (error instanceof InvalidManifestError) return error.faults;
    throw error;
  }
  return [];
}

/** Returns faults as `path: message`. */
export function messagesOf(faults: readonly ManifestFault[]): string[] {
  return faults.map(({ path, message }) => `${path}: ${message}`);
}
