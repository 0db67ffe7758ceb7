import type {
  FieldReferenceManifest,
  OptionalReferenceManifest,
  QuantityManifest,
  ResourceReferenceManifest,
} from "./container.js";

/** A volume of a pod. Exactly one of the sources is set; none means `emptyDir`. */
export interface VolumeManifest extends VolumeSourcesManifest {
  /** A DNS label; unique in the pod. */
  name: string;
}

/** The kinds of volumes that this package supports. */
export interface VolumeSourcesManifest {
  emptyDir?: EmptyDirManifest | undefined;
  hostPath?: HostPathManifest | undefined;
  configMap?: ConfigMapVolumeManifest | undefined;
  secret?: SecretVolumeManifest | undefined;
  downwardAPI?: DownwardApiVolumeManifest | undefined;
  projected?: ProjectedVolumeManifest | undefined;
  /** The files of an image. Since Kubernetes 1.31; needs a runtime that can mount images (containerd 2.1, CRI-O 1.33). */
  image?: ImageVolumeManifest | undefined;
}

/** A directory that lives as long as the pod. */
export interface EmptyDirManifest {
  /** `""` is the disk of the node; `Memory` a tmpfs; `HugePages` and `HugePages-<size>` a hugetlbfs. @defaultValue "" */
  medium?: string | undefined;
  sizeLimit?: QuantityManifest | undefined;
}

/** What must be at a `hostPath`, or is created there. */
export type HostPathTypeName =
  | ""
  | "DirectoryOrCreate"
  | "Directory"
  | "FileOrCreate"
  | "File"
  | "Socket"
  | "CharDevice"
  | "BlockDevice";

/** A file or directory of the node. */
export interface HostPathManifest {
  path: string;
  /** @defaultValue "": no check */
  type?: HostPathTypeName | undefined;
}

/** One key of a ConfigMap or a Secret as a file. */
export interface KeyToPathManifest {
  key: string;
  /** Relative, without `..`. */
  path: string;
  mode?: number | undefined;
}

/** The keys of a ConfigMap as files. */
export interface ConfigMapVolumeManifest extends OptionalReferenceManifest {
  items?: readonly KeyToPathManifest[] | undefined;
  /** @defaultValue 0644 */
  defaultMode?: number | undefined;
}

/** The keys of a Secret as files, in memory. */
export interface SecretVolumeManifest {
  secretName: string;
  optional?: boolean | undefined;
  items?: readonly KeyToPathManifest[] | undefined;
  /** @defaultValue 0644 */
  defaultMode?: number | undefined;
}

/** A field or a resource of the pod as a file. */
export interface DownwardApiItemManifest {
  path: string;
  fieldRef?: FieldReferenceManifest | undefined;
  resourceFieldRef?: ResourceReferenceManifest | undefined;
  mode?: number | undefined;
}

/** Fields and resources of the pod as files. */
export interface DownwardApiVolumeManifest {
  items?: readonly DownwardApiItemManifest[] | undefined;
  /** @defaultValue 0644 */
  defaultMode?: number | undefined;
}

/** Files of several sources in one directory. */
export interface ProjectedVolumeManifest {
  sources?: readonly ProjectionManifest[] | undefined;
  /** @defaultValue 0644 */
  defaultMode?: number | undefined;
}

/** One source of a projected volume. Exactly one field is set. */
export interface ProjectionManifest {
  configMap?: (OptionalReferenceManifest & { items?: readonly KeyToPathManifest[] | undefined }) | undefined;
  secret?: (OptionalReferenceManifest & { items?: readonly KeyToPathManifest[] | undefined }) | undefined;
  downwardAPI?: { items?: readonly DownwardApiItemManifest[] | undefined } | undefined;
  /** Written only if the caller gives a token for it. */
  serviceAccountToken?: ServiceAccountTokenManifest | undefined;
}

/** A token of the service account as a file. The caller passes the token to `planPod`. */
export interface ServiceAccountTokenManifest {
  path: string;
  audience?: string | undefined;
  /** @defaultValue 3600 */
  expirationSeconds?: number | undefined;
}

/** An image whose files a container sees, read-only. */
export interface ImageVolumeManifest {
  reference: string;
  /** @defaultValue "Always" for the tag `latest` or no tag; else "IfNotPresent" */
  pullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
}
