import { createHash } from "node:crypto";
import type { PodManifest } from "../manifest/pod.js";

/**
 * Returns the hash of a pod's document: metadata and spec with their defaults, whatever the order of their fields. The objects that
 * the pod refers to have no part in it: as with a kubelet, a running pod keeps running if a ConfigMap changes.
 */
export function documentHash({ metadata, spec }: PodManifest): string {
  const { name, namespace = "default", uid, labels, annotations } = metadata;
  const document = canonicalJson({ metadata: { name, namespace, uid, labels, annotations }, spec });
  return createHash("sha256").update(document).digest("hex");
}

/**
 * Returns the uid of a pod: its own, or one derived from its hash. The same document always has the same uid, so that a later
 * process finds what an earlier one left; a changed document has another one.
 */
export function podUid({ metadata }: PodManifest, hash: string): string {
  if (metadata.uid !== undefined) return metadata.uid;
  // Version 8 of RFC 9562: the remaining bits are free.
  const variant = ((Number.parseInt(hash[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/**
 * Returns the hash of a container as kubelets of Kubernetes 1.31 and later do. It covers the name and the image, because a kubelet
 * restarts a container if these change.
 */
export function containerHash({ name, image }: { name: string; image: string }): string {
  const json = goJson({ image, name });
  return fnv32a(Buffer.from(`([]uint8)[${[...Buffer.from(json)].join(" ")}]`)).toString(16);
}

/** Writes JSON as Go does: some characters of HTML are escaped. Keys stay in their order. */
export function goJson(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
  };
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character]!);
}

/** The 32-bit hash of Fowler, Noll and Vo, variant 1a. */
function fnv32a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Writes JSON with the keys of all objects sorted, so that equal documents have equal JSON. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return String(item);
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
