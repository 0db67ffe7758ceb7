import type { KeyValue } from "../../proto.js";
import type {
  ContainerManifest,
  EnvFromManifest,
  EnvSourceManifest,
  ResourceReferenceManifest,
} from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import { expand } from "./expansion.js";
import { fieldFault, variableField } from "./field-references.js";
import { containerPath, type PodContext } from "./pod-context.js";
import { type ObjectReference, ReferredObject } from "./referred-object.js";
import { containerNamed, type ResourceOwner, resourceValue } from "./resource-references.js";
import { serviceVariables } from "./service-links.js";

/** The environment variables of one container attempt. Printing it shows no values. */
export interface ContainerEnvironment {
  /** The names, in the order in which the variables are set. */
  readonly names: readonly string[];
  /** Replaces `$(NAME)` by the variable's value, and `$$` by `$`. References to unknown variables stay. */
  expand(text: string): string;
  /** Returns the names to which a text refers and that have no value, or an empty one. */
  missingIn(text: string): string[];
  toKeyValues(): KeyValue[];
}

class ResolvedEnvironment implements ContainerEnvironment {
  /** Names and values with one character per byte: values need not be UTF-8, and the expansion compares only ASCII characters. */
  readonly #variables: ReadonlyMap<string, string>;

  constructor(variables: ReadonlyMap<string, string>) {
    this.#variables = variables;
  }

  get names(): string[] {
    return [...this.#variables.keys()].map(textOf);
  }

  expand(text: string): string {
    return textOf(expand(bytesOf(text), (name) => this.#variables.get(name)));
  }

  missingIn(text: string): string[] {
    const missing = new Set<string>();
    expand(bytesOf(text), (name) => {
      if (!this.#variables.get(name)) missing.add(textOf(name));
      return undefined;
    });
    return [...missing];
  }

  toKeyValues(): KeyValue[] {
    return Array.from(this.#variables, ([name, value]) => ({
      key: textOf(name),
      value: Uint8Array.from(Buffer.from(value, "latin1")),
    }));
  }
}

/**
 * Resolves the environment of a container: `envFrom`, then `env`, then the variables of Services. Of several variables with one
 * name, the last one applies, but the variables of Services replace none. Missing objects and keys become faults.
 */
export function environmentOf(
  context: PodContext,
  container: ContainerManifest,
  podIPs: readonly string[],
  faults: ManifestFaults,
): ContainerEnvironment {
  const path = containerPath(context.pod, container);
  const services = new Map(Array.from(serviceVariables(context), ([name, value]) => [bytesOf(name), bytesOf(value)]));
  const variables = new Map<string, string>();
  const set = (name: string, value: string, at: string) => {
    if (value.includes("\0")) faults.add(at, "contains a NUL character, which environment variables cannot have");
    variables.set(bytesOf(name), value);
  };

  for (const [index, { prefix = "", ...source }] of (container.envFrom ?? []).entries()) {
    const reference = objectOf(source, `${path}.envFrom[${index}]`);
    const object = reference && ReferredObject.find(context, reference, faults);
    for (const [key, value] of object?.readVariables() ?? []) {
      set(prefix + key, binary(value), `${path}.envFrom[${index}]`);
    }
  }
  const known = (name: string) => variables.get(name) ?? services.get(name);
  for (const [index, { name, value = "", valueFrom }] of (container.env ?? []).entries()) {
    const at = `${path}.env[${index}]`;
    if (value !== "" || valueFrom === undefined) {
      set(name, expand(bytesOf(value), known), `${at}.value`);
      continue;
    }
    const resolved = resolve({ context, container, podIPs, faults }, valueFrom, `${at}.valueFrom`);
    // Without the optional object or key, an earlier variable of this name stays.
    if (resolved !== undefined) set(name, resolved, `${at}.valueFrom`);
  }
  for (const [name, value] of services) if (!variables.has(name)) variables.set(name, value);
  return new ResolvedEnvironment(variables);
}

function objectOf({ configMapRef, secretRef }: EnvFromManifest, path: string): ObjectReference | undefined {
  if (configMapRef) return { ...configMapRef, kind: "ConfigMap", path: `${path}.configMapRef` };
  return secretRef && { ...secretRef, kind: "Secret", path: `${path}.secretRef` };
}

interface Resolution {
  context: PodContext;
  container: ContainerManifest;
  podIPs: readonly string[];
  faults: ManifestFaults;
}

function resolve(resolution: Resolution, source: EnvSourceManifest, path: string): string | undefined {
  const { context, podIPs, faults } = resolution;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  if (fieldRef) {
    const value = variableField(context, fieldRef.fieldPath, podIPs);
    return value === undefined ? fieldFault(fieldRef, `${path}.fieldRef`, faults) : bytesOf(value);
  }
  if (resourceFieldRef) {
    const owner = ownerOf(resolution, resourceFieldRef);
    return resourceValue(context, owner, resourceFieldRef, `${path}.resourceFieldRef`, faults);
  }
  const [kind, reference] = configMapKeyRef
    ? (["ConfigMap", configMapKeyRef] as const)
    : (["Secret", secretKeyRef] as const);
  if (!reference) return undefined;
  const at = `${path}.${configMapKeyRef ? "configMapKeyRef" : "secretKeyRef"}`;
  return binary(ReferredObject.find(context, { ...reference, kind, path: at }, faults)?.readVariable(reference.key));
}

function ownerOf(
  { context, container }: Resolution,
  { containerName }: ResourceReferenceManifest,
): ResourceOwner | undefined {
  if (!containerName) return { container, defaultLimits: true };
  const named = containerNamed(context, containerName);
  // A kubelet gives the defaults to all containers but the init containers that are named.
  return named && { container: named, defaultLimits: context.pod.spec.containers.includes(named) };
}

/** Converts text to a string with one character per byte of its UTF-8. */
function bytesOf(text: string): string {
  return binary(Buffer.from(text));
}

function binary(bytes: Uint8Array): string;
function binary(bytes: Uint8Array | undefined): string | undefined;
function binary(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString("latin1");
}

function textOf(binary: string): string {
  return Buffer.from(binary, "latin1").toString();
}
