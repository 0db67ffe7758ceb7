import { closest } from "../../internal/closest.js";
import { isRecord } from "../../internal/record.js";
import { typeName } from "../../internal/type-name.js";
import { InvalidManifestError, type ManifestFault, type ManifestLocation } from "../manifest/invalid-manifest-error.js";
import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import { type Kind, kinds } from "./kinds.js";
import { type Findings, type Part, type Path, Place, pathText, shown } from "./schema/place.js";
import { isGiven } from "./schema/schema.js";
import { locate, type Source } from "./source/source.js";

/** A field, or a whole document, that was read and has no effect. */
export interface IgnoredField extends ManifestLocation {
  /** The path of the field in the document. Empty: the whole document. */
  path: string;
  /** Why it has no effect. */
  reason: string;
}

/** What manifests contain. */
export interface Manifests {
  /** Pods, and one pod for each workload, in the order of the documents. */
  pods: readonly PodManifest[];
  /** The objects that pods refer to. Lists of objects that the manifests do not have are empty. */
  objects: { readonly [Kind in keyof KubernetesObjects]-?: NonNullable<KubernetesObjects[Kind]> };
  /** Everything in the manifests that has no effect on a single node. */
  ignored: readonly IgnoredField[];
}

export interface ReaderOptions {
  namespace: string | undefined;
  unknownKinds: "refuse" | "ignore";
}

/** More faults and ignored fields are dropped. */
const maxFindings = 1_000;

/** Reads documents one by one, and collects what they contain. */
export class ManifestReader {
  readonly #options: ReaderOptions;
  readonly #faults: ManifestFault[] = [];
  readonly #ignored: IgnoredField[] = [];
  readonly #pods: PodManifest[] = [];
  readonly #objects = {
    configMaps: [],
    secrets: [],
    serviceAccounts: [],
    runtimeClasses: [],
    services: [],
  } as { [K in keyof KubernetesObjects]-?: unknown[] };
  readonly #names = new Map<string, ManifestLocation>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads a document. */
  read(source: Source): void {
    for (const { message, position } of source.text?.faults ?? []) {
      this.#add({ path: "", message, ...locate(source, [], "value"), ...position });
    }
    // A document that is not valid YAML has no value.
    if (source.value !== undefined || source.text === undefined) this.#readValue(source, source.value, []);
  }

  /** Adds the fault of a text or file that cannot be read. */
  addTextFault(message: string, file?: string): void {
    this.#add({ path: "", message, ...(file !== undefined && { file }) });
  }

  /** @throws InvalidManifestError with the faults of all documents */
  finish(): Manifests {
    const [first, ...rest] = this.#faults;
    if (first !== undefined) throw new InvalidManifestError([first, ...rest]);
    return {
      pods: this.#pods,
      objects: this.#objects as Manifests["objects"],
      ignored: this.#ignored,
    };
  }

  #add(fault: ManifestFault): void {
    if (this.#faults.length < maxFindings) this.#faults.push(fault);
  }

  #readValue(source: Source, value: unknown, path: Path, list?: { kind: string | undefined }): void {
    const findings = this.#findings(source, value);
    const place = new Place(findings, path);
    if (!isRecord(value)) {
      const hint = source.text !== undefined && typeof value === "string" ? "; readManifestFiles reads files" : "";
      place.fault(`must be a Kubernetes object, got ${typeName(value)}${hint}`);
      return;
    }
    const { kind = list?.kind, apiVersion = list?.kind && kinds[list.kind]?.apiVersion } = value;
    if (typeof kind !== "string" || kind === "") {
      const problem = isGiven(kind) ? `must be a string, got ${typeName(kind)}` : "is required";
      place.at("kind").fault(`${problem}; known are ${known}`);
      return;
    }
    const itemKind = /^(.*)List$/.exec(kind)?.[1];
    if (list === undefined && itemKind !== undefined && (itemKind === "" || Object.hasOwn(kinds, itemKind))) {
      this.#readList(source, value.items, path, { kind: itemKind || undefined }, place.at("items"));
      return;
    }
    const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (found !== undefined && !isForeign(apiVersion, found)) {
      this.#readObject(source, { ...value, kind, apiVersion }, found, place);
    } else if (this.#options.unknownKinds === "ignore") {
      findings.ignored(path, `the kind ${shown(kind)} has no effect on a single node`);
    } else if (found !== undefined) {
      const message = `must be ${shown(found.apiVersion)}; the option unknownKinds: "ignore" skips other objects`;
      place.at("apiVersion").refuse(message, apiVersion);
    } else {
      const meant = closest(kind, Object.keys(kinds));
      const hint = meant === undefined ? `known are ${known}.` : `did you mean ${meant}?`;
      place.at("kind").fault(`${shown(kind)} is not supported; ${hint} The option unknownKinds: "ignore" skips it`);
    }
  }

  #readList(source: Source, items: unknown, path: Path, list: { kind: string | undefined }, at: Place): void {
    if (!Array.isArray(items)) {
      at.refuse("must be a list", items);
      return;
    }
    for (const [index, item] of (items as unknown[]).entries()) {
      this.#readValue(source, item, [...path, "items", index], list);
    }
  }

  #readObject(source: Source, value: Readonly<Record<string, unknown>>, kind: Kind, at: Place): void {
    const before = this.#faults.length;
    const draft = kind.schema.read(value, at);
    if (this.#faults.length > before || draft === undefined) return;
    const named = withNamespace(
      draft as { metadata: { name: string; namespace?: string } },
      value,
      this.#options.namespace,
    );
    const { name, namespace = "default" } = named.metadata;
    const identity = `${String(value.kind)} ${value.kind === "RuntimeClass" ? "" : `${namespace}/`}${name}`;
    const location = locate(source, at.path, "value");
    const other = this.#names.get(identity);
    if (other !== undefined) {
      const where = other.line === undefined ? "" : ` (first in ${other.file ?? "this text"}, line ${other.line})`;
      at.at("metadata", "name").refuse(`the object is defined twice${where}`, name);
      return;
    }
    this.#names.set(identity, location);
    if (kind.list !== undefined) this.#objects[kind.list].push(named);
    else if (kind.toPod) this.#pods.push(kind.toPod(named as never));
  }

  #findings(source: Source, value: unknown): Findings {
    const object = objectName(value);
    const describe = (path: Path, part: Part) => ({
      path: pathText([...source.path, ...path]),
      ...(object !== undefined && { object }),
      ...locate(source, path, part),
    });
    return {
      fault: (path, message, part) => this.#add({ ...describe(path, part), message }),
      ignored: (path, reason) => {
        if (this.#ignored.length < maxFindings) this.#ignored.push({ ...describe(path, "key"), reason });
      },
    };
  }
}

const known = Object.keys(kinds).join(", ");

/** Returns whether an object of a known kind belongs to another API group. */
function isForeign(apiVersion: unknown, kind: Kind): boolean {
  const group = (version: string) => (version.includes("/") ? version.split("/")[0] : "");
  return typeof apiVersion === "string" && group(apiVersion) !== group(kind.apiVersion);
}

function objectName(value: unknown): string | undefined {
  if (!isRecord(value) || typeof value.kind !== "string") return undefined;
  const name = isRecord(value.metadata) && typeof value.metadata.name === "string" ? ` ${value.metadata.name}` : "";
  return `${value.kind}${name}`.slice(0, 320);
}

function withNamespace<T extends { metadata: { name: string; namespace?: string } }>(
  object: T,
  { kind }: Readonly<Record<string, unknown>>,
  namespace: string | undefined,
): T {
  if (namespace === undefined || object.metadata.namespace !== undefined || kind === "RuntimeClass") return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
