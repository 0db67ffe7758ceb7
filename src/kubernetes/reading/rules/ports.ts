import type { PodManifestSpec } from "../../manifest/pod.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";

/** Checks that ports of the node are used once, and are those of the containers with `hostNetwork`. */
export function portsInPod(spec: Draft<PodManifestSpec>, at: Place): void {
  const used = new Map<string, string>();
  for (const field of ["containers", "initContainers"] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      if (field === "initContainers" && container?.restartPolicy !== "Always") continue;
      for (const [number, port] of (container?.ports ?? []).entries()) {
        if (!port?.hostPort) continue;
        const place = at.at(field, index, "ports", number, "hostPort");
        if (spec.hostNetwork && port.containerPort !== undefined && port.hostPort !== port.containerPort) {
          place.refuse(`must be the containerPort, ${port.containerPort}, with hostNetwork: true`, port.hostPort);
        }
        const key = `${port.protocol ?? "TCP"}/${port.hostIP ?? ""}/${port.hostPort}`;
        const other = used.get(key);
        if (other !== undefined) place.refuse(`is used twice; ${other} has the same`, port.hostPort);
        else used.set(key, `${field}[${index}].ports[${number}]`);
      }
    }
  }
}
