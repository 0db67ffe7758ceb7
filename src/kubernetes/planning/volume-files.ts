import { posix } from "node:path";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type {
  DownwardApiItemManifest,
  KeyToPathManifest,
  ProjectedVolumeManifest,
  ServiceAccountTokenManifest,
} from "../manifest/volume.js";
import { fieldFault, fileField } from "./field-references.js";
import type { PodContext } from "./pod-context.js";
import type { FilePlan } from "./pod-plan-types.js";
import { type ObjectReference, ReferredObject } from "./referred-object.js";
import { containerNamed, resourceValue } from "./resource-references.js";

/** Plans the files of one volume with the content of ConfigMaps, Secrets, the downward API and service account tokens. */
export class VolumeFiles {
  readonly #context: PodContext;
  readonly #faults: ManifestFaults;
  readonly #defaultMode: number;
  readonly #files = new Map<string, FilePlan>();
  /** The directories of the volume, each with one of its files. */
  readonly #directories = new Map<string, string>();

  constructor(context: PodContext, defaultMode: number | undefined, faults: ManifestFaults) {
    this.#context = context;
    this.#defaultMode = defaultMode ?? 0o644;
    this.#faults = faults;
  }

  /** The files; of several with one path, the last one. */
  get list(): FilePlan[] {
    return [...this.#files.values()];
  }

  /** Adds the keys in `items`, or all keys without them. */
  addObject(reference: ObjectReference, items: readonly KeyToPathManifest[] = []): void {
    const object = ReferredObject.find(this.#context, reference, this.#faults);
    if (object === undefined) return;
    for (const [index, { key, path, mode }] of items.entries()) {
      const at = `${reference.path}.items[${index}]`;
      this.#add(path, object.readFile(key, `${at}.key`), mode, `${at}.path`);
    }
    if (items.length > 0) return;
    for (const [key, content] of object.readFiles()) this.#add(key, content, undefined, reference.path);
  }

  addDownwardApi(items: readonly DownwardApiItemManifest[] = [], path: string): void {
    for (const [index, item] of items.entries()) {
      const at = `${path}.items[${index}]`;
      const value = this.#downwardValue(item, at);
      this.#add(item.path, value === undefined ? undefined : Buffer.from(value), item.mode, `${at}.path`);
    }
  }

  addProjected({ sources = [] }: ProjectedVolumeManifest, path: string): void {
    for (const [index, { configMap, secret, downwardAPI, serviceAccountToken }] of sources.entries()) {
      const at = `${path}.sources[${index}]`;
      if (configMap) this.addObject({ ...configMap, kind: "ConfigMap", path: `${at}.configMap` }, configMap.items);
      if (secret) this.addObject({ ...secret, kind: "Secret", path: `${at}.secret` }, secret.items);
      if (downwardAPI) this.addDownwardApi(downwardAPI.items, `${at}.downwardAPI`);
      if (serviceAccountToken) this.#addToken(serviceAccountToken, `${at}.serviceAccountToken`);
    }
  }

  #addToken({ audience = "", path }: ServiceAccountTokenManifest, at: string): void {
    const given = this.#context.tokens.findLast((token) => (token.audience ?? "") === audience);
    if (given === undefined) {
      const described = audience === "" ? "a token without an audience" : `a token for the audience ${audience}`;
      this.#faults.add(at, `needs ${described}; pass it in tokens, or remove this source`);
      return;
    }
    const uid = commonUser(this.#context);
    const isOwned = uid !== undefined || this.#context.pod.spec.securityContext?.fsGroup !== undefined;
    this.#add(path, Buffer.from(given.token), isOwned ? 0o600 : undefined, `${at}.path`, uid);
  }

  #downwardValue({ fieldRef, resourceFieldRef }: DownwardApiItemManifest, path: string): string | undefined {
    if (fieldRef) {
      return fileField(this.#context, fieldRef.fieldPath) ?? fieldFault(fieldRef, `${path}.fieldRef`, this.#faults);
    }
    if (!resourceFieldRef) return undefined;
    const container = containerNamed(this.#context, resourceFieldRef.containerName);
    const owner = container && { container, defaultLimits: true };
    return resourceValue(this.#context, owner, resourceFieldRef, `${path}.resourceFieldRef`, this.#faults);
  }

  #add(path: string, content: Uint8Array | undefined, mode: number | undefined, at: string, uid?: number): void {
    const cleaned = posix.resolve("/", path).slice(1);
    // Names that begin with ".." are the volume's own: links to its current files.
    if (cleaned === "" || path.startsWith("/") || path.split("/").includes("..") || cleaned.startsWith("..")) {
      this.#faults.add(at, `must be the relative path of a file, without '..', got ${JSON.stringify(path)}`);
      return;
    }
    const directories = directoriesOf(cleaned);
    const other = this.#directories.get(cleaned) ?? directories.find((directory) => this.#files.has(directory));
    if (other !== undefined) {
      const both = `${JSON.stringify(path)} and ${JSON.stringify(other)}`;
      this.#faults.add(at, `${both} cannot be files of one volume; rename one`);
      return;
    }
    if (content === undefined) return;
    const file: FilePlan = {
      path: cleaned,
      content,
      mode: mode ?? this.#defaultMode,
      ...(uid !== undefined && { uid }),
    };
    this.#files.set(cleaned, Object.defineProperty(file, "content", { enumerable: false }));
    for (const directory of directories) this.#directories.set(directory, cleaned);
  }
}

/** Returns the directories above a file: `a` and `a/b` for `a/b/c`. */
function directoriesOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** Returns the user id of all containers, if they have the same: tokens belong to it. */
function commonUser({ pod: { spec } }: PodContext): number | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  );
  return users.size === 1 ? [...users][0] : undefined;
}
