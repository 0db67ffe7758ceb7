import { createHash } from "node:crypto";
import { cpus } from "node:os";
import {
  applyPatch,
  flag,
  innerPath,
  integer,
  invalid,
  maxFileName,
  maxUint32,
  objectName,
  optionalPath,
  refuse,
  stringMap,
  strings,
} from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import { ContainerConfig, NamespaceMode, NamespaceOption, type PodSandboxConfig } from "../proto.js";
import type { ContainerSpec, WindowsContainerSpec } from "./container-spec.js";
import { toEnvs } from "./environment.js";
import { toImageSpec } from "./image-ref.js";
import { readMounts, toCdiDevices, toDevices, toMounts } from "./mounts.js";
import { toProcessNamespace } from "./namespaces.js";
import { gracePeriod } from "./pod-config.js";
import { toLinuxResources } from "./resources.js";
import { readContainerSecurity, toContainerSecurity } from "./security.js";
import { toSignal } from "./signal.js";
import { toWindowsResources } from "./windows-resources.js";
import { readWindowsSecurity, windowsFields } from "./windows-security.js";

/** A container's configuration for CreateContainer, and its grace period, which CRI has no field for. */
export interface ConvertedContainer {
  config: ContainerConfig;
  terminationGracePeriodSeconds: number | undefined;
}

/** The values on which a container's configuration depends besides its spec. */
export interface ContainerContext {
  /** The configuration of the container's pod. */
  pod: PodSandboxConfig;
  /** The id or reference of the image after the pull. @defaultValue the reference in the spec */
  image?: string | undefined;
  /** The name and attempt of the container that this container replaces. They are used instead of those of the spec. */
  metadata?: { readonly name: string; readonly attempt: number } | undefined;
  /** The grace period for a container whose spec has none. */
  terminationGracePeriodSeconds?: number | undefined;
}

/** A checked container spec, to be completed once pod and image are known. */
export interface ContainerDraft {
  /** Completes the configuration. @throws InvalidInputError if the spec does not fit the pod; the error that `patch` throws */
  complete(context: ContainerContext): ConvertedContainer;
}

const fields: FieldsOf<ContainerSpec> = {
  name: true,
  attempt: true,
  image: true,
  command: true,
  args: true,
  env: true,
  workingDir: true,
  mounts: true,
  devices: true,
  cdiDevices: true,
  labels: true,
  annotations: true,
  logPath: true,
  stdin: true,
  stdinOnce: true,
  tty: true,
  resources: true,
  security: true,
  processes: true,
  stopSignal: true,
  windows: true,
  terminationGracePeriodSeconds: true,
  patch: true,
};

/**
 * Checks a container spec and converts everything that does not depend on its pod, so that mistakes are found before any I/O.
 * Does not change the spec or the pod, and the message shares no objects with them.
 *
 * @throws InvalidInputError
 */
export function readContainerSpec(given: ContainerSpec): ContainerDraft {
  const spec = new ObjectReader(given, "spec", fields);
  const ownMetadata = { name: spec.read("name", objectName), attempt: spec.read("attempt", integer, 0, maxUint32, 0) };
  const stdin = spec.read("stdin", flag);
  const stdinOnce = spec.read("stdinOnce", flag);
  if (stdinOnce && !stdin) spec.refuse("stdinOnce", "needs stdin: true");
  const common = {
    command: spec.read("command", commandLine),
    args: spec.read("args", commandLine),
    workingDir: spec.read("workingDir", optionalPath),
    envs: spec.read("env", toEnvs),
    devices: spec.read("devices", toDevices),
    CDIDevices: spec.read("cdiDevices", toCdiDevices),
    labels: spec.read("labels", stringMap),
    annotations: spec.read("annotations", stringMap),
    stdin,
    stdinOnce,
    tty: spec.read("tty", flag),
    stopSignal: spec.read("stopSignal", toSignal),
  };
  const imageSpec = spec.read("image", toImageSpec);
  const mounts = spec.read("mounts", readMounts);
  const logPath = spec.optional("logPath", toLogPath);
  const ownSeconds = spec.optional("terminationGracePeriodSeconds", gracePeriod);
  const forLinux = spec.isSet("windows") ? undefined : readLinuxPart(spec);
  const forWindows = spec.isSet("windows") ? readWindowsPart(spec) : undefined;

  const complete = ({ pod, image, metadata = ownMetadata, terminationGracePeriodSeconds }: ContainerContext) => {
    const isWindows = pod.windows !== undefined && pod.linux === undefined;
    const platformPart = isWindows
      ? (forWindows ?? readWindowsPart(spec))
      : (forLinux ?? spec.refuse("windows", "needs a Windows pod: one whose spec has `windows`"));
    const config = ContainerConfig.create({
      ...common,
      metadata,
      image: { ...imageSpec, image: image || imageSpec.image },
      mounts: toMounts(mounts, pod.linux?.securityContext?.namespaceOptions?.usernsOptions),
      logPath: logPath ?? defaultLogPath(metadata, pod),
      ...platformPart(pod),
    });
    spec.optional("patch", applyPatch, config);
    return { config, terminationGracePeriodSeconds: ownSeconds ?? terminationGracePeriodSeconds };
  };
  return { complete };
}

function readLinuxPart(spec: ObjectReader<ContainerSpec>) {
  const processes = spec.optional("processes", toProcessNamespace);
  const security = spec.read("security", readContainerSecurity);
  const resources = spec.read("resources", toLinuxResources);
  return (pod: PodSandboxConfig) => {
    const context = pod.linux?.securityContext;
    const podNamespaces = context?.namespaceOptions;
    // containerd would silently use the processes of the pod's sandbox.
    if (
      processes?.pid === NamespaceMode.NODE &&
      podNamespaces !== undefined &&
      podNamespaces.pid !== NamespaceMode.NODE
    ) {
      spec.refuse("processes", 'can only be "host" in a pod with hostPID: true');
    }
    // Runtimes compare the namespaces with the pod's (containerd refuses another user namespace), or use only the container's
    // (processes, IPC).
    const namespaces = NamespaceOption.create({ ...podNamespaces, ...processes });
    return {
      linux: { resources, securityContext: toContainerSecurity(security, spec.path("security"), namespaces, context) },
    };
  };
}

const windowsContainerFields: FieldsOf<WindowsContainerSpec> = { ...windowsFields, processors: true };

function readWindowsPart(spec: ObjectReader<ContainerSpec>) {
  for (const key of ["security", "processes"] as const) {
    if (spec.isSet(key)) spec.refuse(key, "is for Linux and cannot be used in a Windows pod; use windows or patch");
  }
  const windows = spec.read(
    "windows",
    (value, path) => new ObjectReader<WindowsContainerSpec>(value ?? {}, path, windowsContainerFields),
  );
  const processors = windows.read("processors", integer, 1, maxUint32, cpus().length || 1);
  const security = readWindowsSecurity(windows);
  const resources = spec.optional("resources", toWindowsResources, processors);
  return (pod: PodSandboxConfig) => {
    const podHostProcess = pod.windows?.securityContext?.hostProcess ?? false;
    const { hostProcess = podHostProcess } = security;
    // containerd refuses a container whose hostProcess differs from its pod's.
    if (hostProcess !== podHostProcess) windows.refuse("hostProcess", "must be the same as the pod's");
    return { windows: { resources, securityContext: { ...security, hostProcess } } };
  };
}

function commandLine(value: readonly string[] | undefined, field: string): string[] {
  if (typeof value === "string") {
    refuse(field, 'must be an array of strings; for a shell command use ["sh", "-c", command]');
  }
  return strings(value, field);
}

function toLogPath(value: unknown, field: string): string {
  const path = innerPath(value, field);
  const tooLong = path.split("/").find((part) => Buffer.byteLength(part) > maxFileName);
  return tooLong === undefined ? path : invalid(field, `must have names of at most ${maxFileName} bytes`, tooLong);
}

function defaultLogPath({ name, attempt }: { name: string; attempt: number }, pod: PodSandboxConfig): string {
  return pod.logDirectory === "" ? "" : `${fileStem(name)}.${attempt}.log`;
}

/**
 * The maximum length of a container's name in the name of its log file. Attempt, `.log` and the suffix of a rotation need 38
 * bytes.
 */
const maxStem = 209;

/**
 * Returns the beginning of a log file's name. Shortens a long name and appends a digest, so that different names have different
 * files.
 */
function fileStem(name: string): string {
  if (name.length <= maxStem) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, maxStem - digest.length - 1)}-${digest}`;
}
