import { isIPv6 } from "node:net";
import type { ServiceManifest } from "../manifest/objects.js";
import { namespaceOf, type PodContext } from "./pod-context.js";

/**
 * Returns the variables that tell a container the addresses of Services, in the order of the Services. Contains the Services of the
 * pod's namespace unless `enableServiceLinks` is false, and always the Service `kubernetes` of the namespace `default`. Services
 * without a cluster IP have no variables.
 */
export function serviceVariables(context: PodContext): Map<string, string> {
  const services = new Map<string, ServiceManifest>();
  const links = context.pod.spec.enableServiceLinks ?? true;
  for (const service of context.objects.services ?? []) {
    const { name, namespace = "default" } = service.metadata;
    if (["", "None"].includes(service.spec.clusterIP ?? "")) continue;
    if (namespace === "default" && name === "kubernetes") {
      // A Service of this name in the pod's own namespace takes precedence.
      if (!services.has(name)) services.set(name, service);
    } else if (namespace === namespaceOf(context) && links) {
      services.set(name, service);
    }
  }
  return new Map([...services.values()].flatMap(variablesOf));
}

function variablesOf({ metadata, spec }: ServiceManifest): [name: string, value: string][] {
  const prefix = variableName(metadata.name);
  const address = spec.clusterIP ?? "";
  const ports = spec.ports ?? [];
  const variables: [string, string][] = [[`${prefix}_SERVICE_HOST`, address]];
  if (ports[0] !== undefined) variables.push([`${prefix}_SERVICE_PORT`, String(ports[0].port)]);
  for (const { name, port } of ports) {
    if (name) variables.push([`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)]);
  }
  for (const [index, { port, protocol = "TCP" }] of ports.entries()) {
    const url = `${protocol.toLowerCase()}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
    if (index === 0) variables.push([`${prefix}_PORT`, url]);
    const link = `${prefix}_PORT_${port}_${protocol}`;
    variables.push(
      [link, url],
      [`${link}_PROTO`, protocol.toLowerCase()],
      [`${link}_PORT`, String(port)],
      [`${link}_ADDR`, address],
    );
  }
  return variables;
}

function variableName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
