import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { ContainerConfig, type PodSandboxConfig } from "../proto.js";
import {
  applyPatch,
  at,
  type FieldsOf,
  flag,
  innerPath,
  integer,
  invalid,
  isSet,
  maxFileName,
  maxUint32,
  object,
  objectName,
  optionalPath,
  refuse,
  textMap,
  texts,
} from "./check.js";
import type { ContainerSpec, WindowsContainerSpec } from "./container-spec.js";
import { toEnvs } from "./environment.js";
import { toImageSpec } from "./image-ref.js";
import { toCdiDevices, toDevices, toMounts } from "./mounts.js";
import { containerNamespaces } from "./namespaces.js";
import { gracePeriod, toWindowsSecurity, windowsFields } from "./pod-config.js";
import { toLinuxResources } from "./resources.js";
import { toContainerSecurity } from "./security.js";
import { toSignal } from "./signal.js";
import { toWindowsResources } from "./windows-resources.js";

/** What CreateContainer takes, and what stopping needs to know later. */
export interface ConvertedContainer {
  config: ContainerConfig;
  terminationGracePeriodSeconds: number | undefined;
}

/** What a conversion needs to know beyond the spec. */
export interface ContainerContext {
  /**
   * The pod it goes into. Without one the conversion is a check of the spec alone, made before the pod is known: it leaves out
   * what depends on the pod, and does not run `patch`.
   */
  pod?: PodSandboxConfig | undefined;
  /** The id or reference that pulling resolved the spec's image to. @defaultValue the reference as written */
  image?: string | undefined;
  /** The pod's `terminationGracePeriodSeconds`, for a container that has none of its own. */
  terminationGracePeriodSeconds?: number | undefined;
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

/** From a container spec to the wire, in the light of the pod it goes into. Neither is changed, and the message shares nothing with them. */
export function toContainerConfig(spec: ContainerSpec, context: ContainerContext = {}): ConvertedContainer {
  const { pod } = context;
  object(spec, "spec", fields);
  const name = objectName(spec.name, "spec.name");
  const attempt = integer(spec.attempt, "spec.attempt", 0, maxUint32, 0);
  const stdin = flag(spec.stdin, "spec.stdin");
  const stdinOnce = flag(spec.stdinOnce, "spec.stdinOnce");
  if (stdinOnce && !stdin) refuse("spec.stdinOnce", "needs stdin: true");
  const config = ContainerConfig.create({
    metadata: { name, attempt },
    image: toImageSpec(spec.image, "spec.image", context.image),
    command: commandLine(spec.command, "spec.command"),
    args: commandLine(spec.args, "spec.args"),
    workingDir: optionalPath(spec.workingDir, "spec.workingDir"),
    envs: toEnvs(spec.env, "spec.env"),
    mounts: toMounts(spec.mounts, "spec.mounts", pod?.linux?.securityContext?.namespaceOptions),
    devices: toDevices(spec.devices, "spec.devices"),
    CDIDevices: toCdiDevices(spec.cdiDevices, "spec.cdiDevices"),
    labels: textMap(spec.labels, "spec.labels"),
    annotations: textMap(spec.annotations, "spec.annotations"),
    logPath: logPath(spec.logPath, "spec.logPath", pod, `${fileStem(name)}.${attempt}.log`),
    stdin,
    stdinOnce,
    tty: flag(spec.tty, "spec.tty"),
    stopSignal: toSignal(spec.stopSignal, "spec.stopSignal"),
    ...(isWindows(spec, pod) ? windowsPart(spec, pod) : linuxPart(spec, pod)),
  });
  const seconds = gracePeriod(spec.terminationGracePeriodSeconds, "spec.terminationGracePeriodSeconds");
  if (pod !== undefined) applyPatch(spec.patch, "spec.patch", config);
  return {
    config,
    terminationGracePeriodSeconds: seconds ?? context.terminationGracePeriodSeconds,
  };
}

function isWindows(spec: ContainerSpec, pod: PodSandboxConfig | undefined): boolean {
  return pod === undefined ? isSet(spec.windows) : pod.windows !== undefined && pod.linux === undefined;
}

function linuxPart(spec: ContainerSpec, pod: PodSandboxConfig | undefined) {
  if (isSet(spec.windows)) refuse("spec.windows", "needs a Windows pod: one whose spec has `windows`");
  const context = pod?.linux?.securityContext;
  const namespaces = containerNamespaces(context?.namespaceOptions, spec.processes, "spec.processes");
  const security = toContainerSecurity(spec.security, "spec.security", namespaces, context);
  // Runtimes compare with the pod's config in the request, so the answer is known here.
  if (security.privileged && pod !== undefined && context?.privileged !== true) {
    refuse("spec.security.privileged", "needs a pod with security.privileged: true; runtimes refuse it in any other");
  }
  return { linux: { resources: toLinuxResources(spec.resources, "spec.resources"), securityContext: security } };
}

const windowsContainerFields: FieldsOf<WindowsContainerSpec> = { ...windowsFields, processors: true };

function windowsPart(spec: ContainerSpec, pod: PodSandboxConfig | undefined) {
  for (const key of ["security", "processes"] as const) {
    if (isSet(spec[key]))
      refuse(at("spec", key), "is for Linux and cannot stand in a Windows pod; use windows or patch");
  }
  // containerd refuses a container that differs from its pod in this.
  const hostProcess = pod?.windows?.securityContext?.hostProcess ?? false;
  const securityContext = toWindowsSecurity(spec.windows, "spec.windows", hostProcess, windowsContainerFields);
  if (pod !== undefined && securityContext.hostProcess !== hostProcess) {
    refuse("spec.windows.hostProcess", "must be the same as the pod's");
  }
  const processors = integer(spec.windows?.processors, "spec.windows.processors", 1, maxUint32, cpus().length || 1);
  return { windows: { resources: toWindowsResources(spec.resources, "spec.resources", processors), securityContext } };
}

function commandLine(value: readonly string[] | undefined, field: string): string[] {
  if (typeof value === "string") refuse(field, 'must be an array of words; for a shell line use ["sh", "-c", line]');
  return texts(value, field);
}

function logPath(
  value: string | undefined,
  field: string,
  pod: PodSandboxConfig | undefined,
  standard: string,
): string {
  if (!isSet(value)) return pod === undefined || pod.logDirectory === "" ? "" : standard;
  const path = innerPath(value, field);
  const tooLong = path.split("/").find((part) => Buffer.byteLength(part) > maxFileName);
  if (tooLong !== undefined) invalid(field, `must have names of at most ${maxFileName} bytes`, tooLong);
  return path;
}

/** What of a container's name goes into its log file's: attempt, `.log` and what rotation appends take up to 38 bytes. */
const maxStem = 209;

/** The name for a log file. A long one is cut, with a digest in place of the rest to keep different names apart. */
function fileStem(name: string): string {
  if (name.length <= maxStem) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, maxStem - digest.length - 1)}-${digest}`;
}
