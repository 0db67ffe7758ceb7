import { split } from "../../../specs/image-reference.js";
import type {
  ContainerManifest,
  ContainerPortManifest,
  EnvVarManifest,
  FieldReferenceManifest,
  ResourceReferenceManifest,
} from "../../manifest/container.js";
import { lifecycleWithDefaults, probeWithDefaults } from "./probe.js";
import { resourcesWithDefaults } from "./resources.js";

export function containerWithDefaults(container: ContainerManifest, hostNetwork: boolean): ContainerManifest {
  const { startupProbe, livenessProbe, readinessProbe, lifecycle, ports, env } = container;
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image),
    resources: resourcesWithDefaults(container.resources),
    terminationMessagePath: container.terminationMessagePath ?? "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy ?? "File",
    ...(ports && { ports: ports.map((port) => portWithDefaults(port, hostNetwork)) }),
    ...(env && { env: env.map(variableWithDefaults) }),
    ...(startupProbe && { startupProbe: probeWithDefaults(startupProbe) }),
    ...(livenessProbe && { livenessProbe: probeWithDefaults(livenessProbe) }),
    ...(readinessProbe && { readinessProbe: probeWithDefaults(readinessProbe) }),
    ...(lifecycle && { lifecycle: lifecycleWithDefaults(lifecycle) }),
  };
}

/** Returns the pull policy of an image: `latest`, named or not, may change. */
export function pullPolicyOf(reference: string): "Always" | "IfNotPresent" {
  const { tag, digest } = split(reference);
  return tag === "latest" || (tag === undefined && digest === undefined) ? "Always" : "IfNotPresent";
}

function portWithDefaults(port: ContainerPortManifest, hostNetwork: boolean): ContainerPortManifest {
  const hostPort = port.hostPort || (hostNetwork ? port.containerPort : undefined);
  const { hostPort: _, ...rest } = port;
  return { ...rest, ...(hostPort !== undefined && { hostPort }), protocol: port.protocol ?? "TCP" };
}

function variableWithDefaults(variable: EnvVarManifest): EnvVarManifest {
  const { fieldRef, resourceFieldRef } = variable.valueFrom ?? {};
  if (fieldRef) return { ...variable, valueFrom: { fieldRef: fieldWithDefaults(fieldRef) } };
  if (resourceFieldRef) return { ...variable, valueFrom: { resourceFieldRef: resourceWithDefaults(resourceFieldRef) } };
  return variable;
}

export function fieldWithDefaults(field: FieldReferenceManifest): FieldReferenceManifest {
  return { ...field, apiVersion: field.apiVersion ?? "v1" };
}

/** The API server has "0" for a divisor of 1. */
export function resourceWithDefaults(resource: ResourceReferenceManifest): ResourceReferenceManifest {
  return { ...resource, divisor: resource.divisor ?? "0" };
}
