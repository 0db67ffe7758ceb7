import { posix } from "node:path";
import {
  absolutePath,
  flag,
  innerPath,
  invalid,
  isSet,
  list,
  nonEmptyStrings,
  oneOf,
  optionalString,
  refuse,
  requiredString,
} from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import { type CDIDevice, Device, Mount, MountPropagation, type UserNamespace } from "../proto.js";
import { type ImageInput, toImageSpec } from "./image-ref.js";
import { type IdRange, toIdMappings } from "./namespaces.js";

interface MountOptions {
  /** Path in the container; absolute. No two mounts may have the same path. */
  containerPath: string;
  /** Mounts it read-only. @defaultValue false */
  readOnly?: boolean | undefined;
  /** Extra mount options, such as `"noexec"`. Since Kubernetes 1.37; ignored by older runtimes. */
  options?: readonly string[] | undefined;
}

/** Mounts a directory or file of the node. */
export interface HostMount extends MountOptions {
  /** Path on the node; absolute. Runtimes create an empty directory if it does not exist. */
  hostPath: string;
  /**
   * Makes mounts below it read-only, too; needs {@link readOnly} and private propagation. Since Kubernetes 1.30.
   *
   * @defaultValue false
   */
  recursiveReadOnly?: boolean | undefined;
  /**
   * Mount propagation. With `"hostToContainer"`, later mounts below this path on the node appear in the container; with
   * `"bidirectional"`, later mounts in the container also appear on the node. @defaultValue "private": neither
   */
  propagation?: "private" | "hostToContainer" | "bidirectional" | undefined;
  /** Makes the runtime relabel the files with the container's SELinux label. @defaultValue false */
  selinuxRelabel?: boolean | undefined;
  /**
   * User ids of the files as the container sees them. Since Kubernetes 1.27.
   *
   * @defaultValue the mappings of the pod's user namespace
   */
  uidMappings?: readonly IdRange[] | undefined;
  /**
   * Group ids of the files as the container sees them. Since Kubernetes 1.27.
   *
   * @defaultValue the mappings of the pod's user namespace
   */
  gidMappings?: readonly IdRange[] | undefined;
}

/** Mounts the files of an image, read-only. Since Kubernetes 1.31; the runtime must have pulled the image. */
export interface ImageMount extends MountOptions {
  /** The image to mount. */
  image: ImageInput;
  /** A directory within the image. Since Kubernetes 1.33. @defaultValue the whole image */
  subPath?: string | undefined;
}

/** A mount of a container: files of the node or of an image. */
export type MountSpec = HostMount | ImageMount;

/** A device of the node that the container may use. */
export interface DeviceSpec {
  /** Path of the device on the node, or of a directory with devices; absolute. */
  hostPath: string;
  /** Path of the device in the container; absolute. @defaultValue {@link hostPath} */
  containerPath?: string | undefined;
  /** Any of `r` (read), `w` (write) and `m` (mknod). @defaultValue "rwm" */
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

/** A checked mount. Mappings that are `undefined` come from the pod's user namespace. */
type CheckedMount = ReturnType<typeof readMount>;

/** Checks mounts, before the pod is known. */
export function readMounts(mounts: readonly MountSpec[] | undefined, field: string): CheckedMount[] {
  const mountedBy = new Map<string, string>();
  return list(mounts, field, (mount, path) => {
    const checked = readMount(mount, path);
    const target = canonicalPath(checked.containerPath);
    const earlier = mountedBy.get(target);
    if (earlier !== undefined) {
      const message = `is already used by ${earlier}: of two mounts at one path, the later one hides the other`;
      invalid(fieldPath(path, "containerPath"), message, checked.containerPath);
    }
    mountedBy.set(target, path);
    return checked;
  });
}

/**
 * Completes mounts with the mappings of the pod's user namespace, as a kubelet does. Without mappings, files of the node would
 * belong to no user of that namespace.
 */
export function toMounts(mounts: readonly CheckedMount[], users: UserNamespace | undefined): Mount[] {
  const { uids = [], gids = [] } = users ?? {};
  return mounts.map((mount) =>
    Mount.create({ ...mount, uidMappings: mount.uidMappings ?? uids, gidMappings: mount.gidMappings ?? gids }),
  );
}

function readMount(mount: MountSpec, field: string) {
  if (typeof mount !== "object" || mount === null) return invalid(field, "must be an object", mount);
  if (!("image" in mount) || !isSet(mount.image)) return readHostMount(mount as HostMount, field);
  if ("hostPath" in mount && isSet(mount.hostPath)) refuse(field, "has both hostPath and image: drop one");
  return readImageMount(mount, field);
}

/** Returns the same string for every spelling of a path on Linux: without `.`, double slashes and a slash at the end. */
function canonicalPath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

function readHostMount(spec: HostMount, field: string) {
  const mount = new ObjectReader(spec, field, hostFields);
  const readonly = mount.read("readOnly", flag);
  const propagation = mount.read("propagation", oneOf, propagations, propagations.private);
  const recursiveReadOnly = mount.read("recursiveReadOnly", flag);
  if (recursiveReadOnly && !readonly) mount.refuse("recursiveReadOnly", "needs readOnly: true");
  if (recursiveReadOnly && propagation !== propagations.private) {
    mount.refuse("recursiveReadOnly", 'works with propagation "private" only');
  }
  return {
    hostPath: mount.read("hostPath", absolutePath),
    containerPath: mount.read("containerPath", absolutePath),
    readonly,
    recursiveReadOnly,
    propagation,
    selinuxRelabel: mount.read("selinuxRelabel", flag),
    uidMappings: mount.optional("uidMappings", toIdMappings),
    gidMappings: mount.optional("gidMappings", toIdMappings),
    mountOptions: mount.read("options", nonEmptyStrings),
  };
}

function readImageMount(spec: ImageMount, field: string) {
  const mount = new ObjectReader(spec, field, imageFields);
  if (mount.optional("readOnly", flag) === false) {
    mount.refuse("readOnly", "cannot be false: images are mounted read-only");
  }
  return {
    image: mount.read("image", toImageSpec),
    imageSubPath: mount.read("subPath", innerPath),
    containerPath: mount.read("containerPath", absolutePath),
    readonly: true,
    uidMappings: [],
    gidMappings: [],
    mountOptions: mount.read("options", nonEmptyStrings),
  };
}

export function toDevices(devices: readonly DeviceSpec[] | undefined, field: string): Device[] {
  return list(devices, field, toDevice);
}

function toDevice(spec: DeviceSpec, field: string): Device {
  if (typeof spec === "string") {
    invalid(field, "must be { hostPath }; names of CDI devices go into cdiDevices", spec);
  }
  const device = new ObjectReader(spec, field, { hostPath: true, containerPath: true, permissions: true });
  const hostPath = device.read("hostPath", absolutePath);
  return Device.create({
    hostPath,
    containerPath: device.optional("containerPath", absolutePath) ?? hostPath,
    permissions: device.optional("permissions", devicePermissions) ?? "rwm",
  });
}

function devicePermissions(value: unknown, field: string): string {
  const permissions = optionalString(value, field);
  return /^(?!.*(.).*\1)[rwm]+$/.test(permissions)
    ? permissions
    : invalid(field, 'must be some of the letters of "rwm"', permissions);
}

export function toCdiDevices(names: readonly string[] | undefined, field: string): CDIDevice[] {
  return list(names, field, (value, path) => {
    const name = requiredString(value, path);
    return /^[^/=\s]+\/[^/=\s]+=\S+$/.test(name)
      ? { name }
      : invalid(path, 'must be the name of a CDI device such as "nvidia.com/gpu=all"', name);
  });
}
