import type { Container } from "../../proto.js";
import type { HookManifest } from "../manifest/container.js";
import type { StoppableContainer } from "./container-stopper.js";

/** What is known of the containers of a pod without its plan. */
export interface AnnotatedPod {
  containers: readonly StoppableContainer[];
  podGraceSeconds: number;
}

/**
 * Reads how to stop a pod from the annotations of its containers, as a kubelet does for a pod whose manifest is gone: `preStop`
 * hooks, ports and the grace period. Sidecars are unknown, so all containers stop at once.
 */
export function readStopAnnotations(containers: readonly Pick<Container, "metadata" | "annotations">[]): AnnotatedPod {
  const grace = containers.map(({ annotations }) => Number(annotations["io.kubernetes.pod.terminationGracePeriod"]));
  return {
    podGraceSeconds: grace.find((seconds) => Number.isInteger(seconds) && seconds >= 0) ?? 30,
    containers: containers.map(({ metadata, annotations }) => ({
      name: metadata?.name ?? "",
      kind: "main",
      restartPolicy: "Never",
      preStop: parse<HookManifest>(annotations["io.kubernetes.container.preStopHandler"]),
      ports: portsIn(annotations["io.kubernetes.container.ports"]),
    })),
  };
}

function portsIn(json: string | undefined): Record<string, number> {
  const ports = parse<{ name?: string; containerPort: number }[]>(json) ?? [];
  if (!Array.isArray(ports)) return {};
  return Object.fromEntries(ports.flatMap(({ name, containerPort }) => (name ? [[name, containerPort]] : [])));
}

/** Parses an annotation of ours; undefined if it is missing or was changed. */
function parse<T>(json: string | undefined): T | undefined {
  try {
    return json === undefined ? undefined : (JSON.parse(json) as T);
  } catch {
    return undefined;
  }
}
