import { posix } from "node:path";
import { type CDIDevice, Device, Mount, MountPropagation, type NamespaceOption } from "../proto.js";
import {
  absolutePath,
  at,
  type FieldsOf,
  flag,
  innerPath,
  invalid,
  isSet,
  list,
  object,
  refuse,
  text,
  word,
  words,
} from "./check.js";
import { type ImageInput, toImageSpec } from "./image-ref.js";
import { type IdRange, toIdMappings } from "./namespaces.js";

interface MountOptions {
  /** Where it appears in the container; absolute. No two mounts may have the same path. */
  containerPath: string;
  /** @defaultValue false */
  readOnly?: boolean | undefined;
  /** Extra mount options, such as `"noexec"`. Since Kubernetes 1.37; ignored by older runtimes. */
  options?: readonly string[] | undefined;
}

/** A directory or file of the node in the container. */
export interface HostMount extends MountOptions {
  /** What to mount; absolute. Runtimes make an empty directory of a path that does not exist. */
  hostPath: string;
  /** Whether mounts below are read-only too; wants {@link readOnly} and private propagation. Since Kubernetes 1.30. @defaultValue false */
  recursiveReadOnly?: boolean | undefined;
  /**
   * Whether mounts made below later on the node appear in the container (`"hostToContainer"`), and the other way round as well
   * (`"bidirectional"`). @defaultValue "private": neither
   */
  propagation?: "private" | "hostToContainer" | "bidirectional" | undefined;
  /** Whether the runtime gives the files the container's SELinux label. @defaultValue false */
  selinuxRelabel?: boolean | undefined;
  /** User ids of the files as the container sees them. Since Kubernetes 1.27. @defaultValue the mappings of the pod's user namespace */
  uidMappings?: readonly IdRange[] | undefined;
  /** Group ids of the files as the container sees them. Since Kubernetes 1.27. @defaultValue the mappings of the pod's user namespace */
  gidMappings?: readonly IdRange[] | undefined;
}

/** The files of an image in the container, read-only. Since Kubernetes 1.31; the runtime must have pulled the image. */
export interface ImageMount extends MountOptions {
  image: ImageInput;
  /** A directory within the image. Since Kubernetes 1.33. @defaultValue the whole image */
  subPath?: string | undefined;
}

export type MountSpec = HostMount | ImageMount;

/** A device of the node in the container. */
export interface DeviceSpec {
  /** The device on the node, or a directory with devices; absolute. */
  hostPath: string;
  /** @defaultValue {@link hostPath} */
  containerPath?: string | undefined;
  /** Any of `r` (read), `w` (write) and `m` (make node). @defaultValue "rwm" */
  permissions?: string | undefined;
}

const hostFields: FieldsOf<HostMount> = {
  containerPath: true,
  hostPath: true,
  readOnly: true,
  recursiveReadOnly: true,
  propagation: true,
  selinuxRelabel: true,
  uidMappings: true,
  gidMappings: true,
  options: true,
};

const imageFields: FieldsOf<ImageMount> = {
  containerPath: true,
  image: true,
  subPath: true,
  readOnly: true,
  options: true,
};

const propagations = {
  private: MountPropagation.PROPAGATION_PRIVATE,
  hostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

export function toMounts(
  mounts: readonly MountSpec[] | undefined,
  field: string,
  pod: NamespaceOption | undefined,
): Mount[] {
  const taken = new Map<string, string>();
  return list(mounts, field).map((mount, index) => {
    const path = at(field, index);
    const converted = toMount(mount, path, pod);
    const target = samePath(converted.containerPath);
    const earlier = taken.get(target);
    if (earlier !== undefined) {
      const message = `is taken by ${earlier}: of two mounts at one path, the later hides the earlier`;
      invalid(at(path, "containerPath"), message, converted.containerPath);
    }
    taken.set(target, path);
    return converted;
  });
}

function toMount(mount: MountSpec, path: string, pod: NamespaceOption | undefined): Mount {
  if (typeof mount !== "object" || mount === null) return invalid(path, "must be an object", mount);
  if (!("image" in mount) || !isSet(mount.image)) return hostMount(mount as HostMount, path, pod);
  if ("hostPath" in mount && isSet(mount.hostPath)) refuse(path, "has both hostPath and image: drop one");
  return imageMount(mount, path);
}

/** One spelling for all spellings of a path on Linux: without `.`, double slashes and a slash at the end. */
function samePath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

function hostMount(mount: HostMount, field: string, pod: NamespaceOption | undefined): Mount {
  object(mount, field, hostFields);
  const readonly = flag(mount.readOnly, at(field, "readOnly"));
  const propagation = word(mount.propagation, at(field, "propagation"), propagations, propagations.private);
  const recursiveReadOnly = flag(mount.recursiveReadOnly, at(field, "recursiveReadOnly"));
  if (recursiveReadOnly && !readonly) refuse(at(field, "recursiveReadOnly"), "needs readOnly: true");
  if (recursiveReadOnly && propagation !== propagations.private) {
    refuse(at(field, "recursiveReadOnly"), 'works with propagation "private" only');
  }
  const users = pod?.usernsOptions;
  return Mount.create({
    hostPath: absolutePath(mount.hostPath, at(field, "hostPath")),
    containerPath: absolutePath(mount.containerPath, at(field, "containerPath")),
    readonly,
    recursiveReadOnly,
    propagation,
    selinuxRelabel: flag(mount.selinuxRelabel, at(field, "selinuxRelabel")),
    // Without a mapping, files of the node would belong to nobody within a user namespace: a kubelet maps every mount.
    uidMappings: isSet(mount.uidMappings)
      ? toIdMappings(mount.uidMappings, at(field, "uidMappings"))
      : (users?.uids ?? []),
    gidMappings: isSet(mount.gidMappings)
      ? toIdMappings(mount.gidMappings, at(field, "gidMappings"))
      : (users?.gids ?? []),
    mountOptions: words(mount.options, at(field, "options")),
  });
}

function imageMount(mount: ImageMount, field: string): Mount {
  object(mount, field, imageFields);
  if (isSet(mount.readOnly) && !flag(mount.readOnly, at(field, "readOnly"))) {
    refuse(at(field, "readOnly"), "cannot be false: images are mounted read-only");
  }
  return Mount.create({
    image: toImageSpec(mount.image, at(field, "image")),
    imageSubPath: innerPath(mount.subPath, at(field, "subPath")),
    containerPath: absolutePath(mount.containerPath, at(field, "containerPath")),
    readonly: true,
    mountOptions: words(mount.options, at(field, "options")),
  });
}

export function toDevices(devices: readonly DeviceSpec[] | undefined, field: string): Device[] {
  return list(devices, field).map((device, index) => {
    const path = at(field, index);
    if (typeof device === "string")
      invalid(path, "must be { hostPath }; names of CDI devices go into cdiDevices", device);
    const spec = object(device, path, { hostPath: true, containerPath: true, permissions: true });
    const hostPath = absolutePath(spec.hostPath, at(path, "hostPath"));
    const containerPath = spec.containerPath ?? hostPath;
    const permissions = isSet(spec.permissions) ? text(spec.permissions, at(path, "permissions")) : "rwm";
    if (!/^(?!.*(.).*\1)[rwm]+$/.test(permissions)) {
      invalid(at(path, "permissions"), 'must be some of the letters of "rwm"', permissions);
    }
    return Device.create({
      hostPath,
      containerPath: absolutePath(containerPath, at(path, "containerPath")),
      permissions,
    });
  });
}

export function toCdiDevices(names: readonly string[] | undefined, field: string): CDIDevice[] {
  return words(names, field).map((name, index) => {
    if (!/^[^/=\s]+\/[^/=\s]+=\S+$/.test(name)) {
      invalid(at(field, index), 'must be the name of a CDI device such as "nvidia.com/gpu=all"', name);
    }
    return { name };
  });
}
