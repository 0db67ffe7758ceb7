import { closest } from "../../internal/closest.js";
import type { ManifestFaults, MissingObject } from "../manifest/invalid-manifest-error.js";
import type { ConfigMapManifest, SecretManifest } from "../manifest/objects.js";
import { findNamed, namespaceIn } from "./named-object.js";
import { namespaceOf, type PodContext } from "./pod-context.js";

/** A reference to a ConfigMap or a Secret of the pod's namespace. */
export interface ObjectReference {
  kind: "ConfigMap" | "Secret";
  name: string;
  /** Whether the object and its keys may be missing. */
  optional?: boolean | undefined;
  /** The path of the reference, for faults. */
  path: string;
}

/** A value as its object contains it. */
type StoredValue = { text: string } | { base64: string };

/** The values of an object by key. */
interface Content {
  /** What environment variables can contain. */
  variables: ReadonlyMap<string, StoredValue>;
  /** What files can contain: also the `binaryData` of a ConfigMap. */
  files: ReadonlyMap<string, StoredValue>;
}

/** A ConfigMap or a Secret to which a pod refers. Printing it shows no values. */
export class ReferredObject {
  readonly #reference: ObjectReference;
  readonly #namespace: string;
  readonly #content: Content;
  readonly #faults: ManifestFaults;

  private constructor(reference: ObjectReference, namespace: string, content: Content, faults: ManifestFaults) {
    this.#reference = reference;
    this.#namespace = namespace;
    this.#content = content;
    this.#faults = faults;
  }

  /** Finds the object. A missing object is a fault unless the reference is optional. */
  static find(context: PodContext, reference: ObjectReference, faults: ManifestFaults): ReferredObject | undefined {
    const { kind, name, optional, path } = reference;
    const { configMaps = [], secrets = [] } = context.objects;
    const namespace = namespaceOf(context);
    // Not by the kind that the object states: the entries of a list from an API server state none.
    const content =
      kind === "ConfigMap"
        ? contentOfConfigMap(findNamed(configMaps, namespace, name))
        : contentOfSecret(findNamed(secrets, namespace, name));
    if (content !== undefined) return new ReferredObject(reference, namespace, content, faults);
    if (optional) return undefined;
    const [given, field] = kind === "ConfigMap" ? [configMaps, "configMaps"] : [secrets, "secrets"];
    const other = given.find(({ metadata }) => metadata.name === name);
    const remedy = other
      ? `the one given is in the namespace ${namespaceIn(other)}; set its namespace to ${namespace}`
      : `add it to objects.${field}, or set optional: true`;
    faults.add(path, `${kind} ${namespace}/${name} is missing; ${remedy}`, { kind, namespace, name });
    return undefined;
  }

  /** Reads all values that environment variables can contain. */
  readVariables(): Map<string, Uint8Array> {
    return this.#decodeAll(this.#content.variables);
  }

  /** Reads all values that files can contain. */
  readFiles(): Map<string, Uint8Array> {
    return this.#decodeAll(this.#content.files);
  }

  /** Reads one value for an environment variable. A missing key is a fault unless the reference is optional. */
  readVariable(key: string): Uint8Array | undefined {
    const { variables, files } = this.#content;
    const remedy = files.has(key) ? "it is in binaryData, which only volumes can contain" : undefined;
    return this.#read(variables, key, this.#reference.path, remedy);
  }

  /** Reads one value for a file. A missing key is a fault unless the reference is optional. */
  readFile(key: string, path: string): Uint8Array | undefined {
    return this.#read(this.#content.files, key, path);
  }

  #decodeAll(values: ReadonlyMap<string, StoredValue>): Map<string, Uint8Array> {
    const decoded = new Map<string, Uint8Array>();
    for (const [key, stored] of values) {
      const value = this.#decode(stored, key);
      if (value !== undefined) decoded.set(key, value);
    }
    return decoded;
  }

  #read(values: ReadonlyMap<string, StoredValue>, key: string, path: string, remedy?: string): Uint8Array | undefined {
    const stored = values.get(key);
    if (stored !== undefined) return this.#decode(stored, key);
    if (this.#reference.optional) return undefined;
    const { kind, name } = this.#reference;
    const similar = closest(key, [...values.keys()]);
    const hint =
      similar === undefined ? "add the key, or set optional: true" : `did you mean ${JSON.stringify(similar)}?`;
    const missing: MissingObject = { kind, namespace: this.#namespace, name, key };
    const message = `${kind} ${this.#namespace}/${name} has no key ${JSON.stringify(key)}; ${remedy ?? hint}`;
    this.#faults.add(path, message, missing);
    return undefined;
  }

  #decode(stored: StoredValue, key: string): Uint8Array | undefined {
    if ("text" in stored) return new TextEncoder().encode(stored.text);
    // The Kubernetes API server skips line breaks, too.
    const base64 = stored.base64.replace(/[\r\n]/g, "");
    if (base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return Buffer.from(base64, "base64");
    const { kind, name, path } = this.#reference;
    const remedy = `put text into ${kind === "ConfigMap" ? "data" : "stringData"}`;
    const object = `${kind} ${this.#namespace}/${name}`;
    this.#faults.add(path, `the value of the key ${JSON.stringify(key)} of ${object} is not base64; ${remedy}`);
    return undefined;
  }
}

function contentOfConfigMap(object: ConfigMapManifest | undefined): Content | undefined {
  if (object === undefined) return undefined;
  const variables = plainValues(object.data);
  return { variables, files: new Map([...variables, ...base64Values(object.binaryData)]) };
}

function contentOfSecret(object: SecretManifest | undefined): Content | undefined {
  if (object === undefined) return undefined;
  const values = new Map([...base64Values(object.data), ...plainValues(object.stringData)]);
  return { variables: values, files: values };
}

function plainValues(data: Readonly<Record<string, string>> = {}): Map<string, StoredValue> {
  return new Map(Object.entries(data).map(([key, text]) => [key, { text }]));
}

function base64Values(data: Readonly<Record<string, string>> = {}): Map<string, StoredValue> {
  return new Map(Object.entries(data).map(([key, base64]) => [key, { base64 }]));
}
