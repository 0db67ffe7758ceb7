import { type PortMapping, PortMapping as PortMappingMessage, Protocol } from "../../proto.js";
import type { ContainerManifest, ContainerPortManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";

/** Returns the ports of a pod: those of its main containers. A kubelet does not map the ports of sidecars. */
export function portMappingsOf({ spec }: PodManifest): PortMapping[] {
  return spec.containers.flatMap((container) => {
    return distinct(portsOf(spec, container)).map(({ protocol = "TCP", containerPort, hostPort, hostIP }) => {
      return PortMappingMessage.create({
        protocol: Protocol[protocol],
        containerPort,
        hostPort: hostPort ?? 0,
        hostIp: hostIP ?? "",
      });
    });
  });
}

/** Returns the ports of a container with their defaults. With `hostNetwork`, the port of the node is that of the container. */
export function portsOf(
  { hostNetwork }: PodManifest["spec"],
  { ports }: ContainerManifest,
): readonly ContainerPortManifest[] {
  return (ports ?? []).map((port) => ({
    ...port,
    protocol: port.protocol ?? "TCP",
    hostPort: port.hostPort ?? (hostNetwork === true ? port.containerPort : undefined),
  }));
}

/** Drops the second port of the same name, or of the same numbers if it has no name. */
function distinct(ports: readonly ContainerPortManifest[]): ContainerPortManifest[] {
  const byName = new Map<string, ContainerPortManifest>();
  for (const port of ports) {
    const { protocol, hostIP = "", containerPort, hostPort = 0 } = port;
    const name = port.name || `${protocol}-${hostIP}:${containerPort}:${hostPort}`;
    if (!byName.has(name)) byName.set(name, port);
  }
  return [...byName.values()];
}
