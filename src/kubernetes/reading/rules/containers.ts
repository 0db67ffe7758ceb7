import type { ContainerManifest, ProbeManifest } from "../../manifest/container.js";
import type { PodManifestSpec } from "../../manifest/pod.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";
import { containerInPod } from "./security.js";

type Container = Draft<ContainerManifest>;
type Spec = Draft<PodManifestSpec>;

/** Checks the containers of a pod with what they refer to. */
export function containersInPod(spec: Spec, at: Place): void {
  const names = new Map<string, string>();
  const volumes = (spec.volumes ?? []).map((volume) => volume?.name);
  for (const field of ["initContainers", "containers"] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      if (container === undefined) continue;
      const place = at.at(field, index);
      checkName(container, names, place, `${field}[${index}]`);
      if (field === "initContainers" && container.restartPolicy !== "Always") checkInitContainer(container, place);
      checkProbes(container, place);
      checkLifecycle(container, spec, place);
      checkRestartRules(container, place);
      checkMounts(container, volumes, place);
      containerInPod(container, spec, place);
    }
  }
  checkContainerReferences(spec, at);
}

function checkName({ name }: Container, names: Map<string, string>, at: Place, path: string): void {
  if (name === undefined) return;
  const other = names.get(name);
  if (other !== undefined) at.at("name").refuse(`must be unique in the pod; ${other} has the same`, name);
  else names.set(name, path);
}

function checkInitContainer(container: Container, at: Place): void {
  for (const field of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    if (Object.hasOwn(container, field))
      at.at(field).fault("init containers have no probes, except sidecars (restartPolicy: Always)", "key");
  }
  const { postStart, preStop } = container.lifecycle ?? {};
  for (const [field, hook] of Object.entries({ postStart, preStop })) {
    if (hook)
      at.at("lifecycle", field).fault("init containers have no hooks, except sidecars (restartPolicy: Always)", "key");
  }
}

function checkProbes(container: Container, at: Place): void {
  const probe = (field: "livenessProbe" | "readinessProbe" | "startupProbe"): Draft<ProbeManifest> =>
    container[field] ?? {};
  for (const field of ["livenessProbe", "startupProbe"] as const) {
    const { successThreshold = 0 } = probe(field);
    if (successThreshold > 1) at.at(field, "successThreshold").refuse("must be 1 for this probe", successThreshold);
  }
  if (probe("readinessProbe").terminationGracePeriodSeconds !== undefined) {
    const place = at.at("readinessProbe", "terminationGracePeriodSeconds");
    place.fault("is not allowed here: a readiness probe does not stop the container", "key");
  }
}

function checkLifecycle({ lifecycle }: Container, spec: Spec, at: Place): void {
  if (lifecycle?.stopSignal !== undefined && spec.os?.name === undefined) {
    at.at("lifecycle", "stopSignal").fault("needs spec.os.name: linux, because signals differ between systems");
  }
  const grace = spec.terminationGracePeriodSeconds ?? 30;
  for (const field of ["postStart", "preStop"] as const) {
    const seconds = lifecycle?.[field]?.sleep?.seconds;
    if (seconds === undefined || seconds <= grace) continue;
    at.at("lifecycle", field, "sleep", "seconds").refuse(
      `must be at most the grace period of ${grace} seconds`,
      seconds,
    );
  }
}

function checkRestartRules(container: Container, at: Place): void {
  if ((container.restartPolicyRules ?? []).length === 0) return;
  if (!Object.hasOwn(container, "restartPolicy")) at.at("restartPolicy").fault("is required with restartPolicyRules");
}

function checkMounts(container: Container, volumes: readonly (string | undefined)[], at: Place): void {
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (mount?.name !== undefined && !volumes.includes(mount.name)) {
      const known = volumes.filter((name) => name !== undefined);
      const hint = known.length > 0 ? `the pod has ${known.join(", ")}` : "the pod has no volumes";
      at.at("volumeMounts", index, "name").refuse(`names no volume of the pod (${hint})`, mount.name);
    }
    if (mount?.mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
      at.at("volumeMounts", index, "mountPropagation").fault('"Bidirectional" needs securityContext.privileged: true');
    }
  }
}

/** Checks that references to the resources of a container name one. */
function checkContainerReferences(spec: Spec, at: Place): void {
  const names = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container?.name);
  const check = (name: string | undefined, place: Place) => {
    if (name !== undefined && !names.includes(name))
      place.at("resourceFieldRef", "containerName").refuse("names no container of the pod", name);
  };
  for (const field of ["initContainers", "containers"] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      for (const [number, variable] of (container?.env ?? []).entries()) {
        check(variable?.valueFrom?.resourceFieldRef?.containerName, at.at(field, index, "env", number, "valueFrom"));
      }
    }
  }
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const place = at.at("volumes", index);
    for (const [number, item] of (volume?.downwardAPI?.items ?? []).entries()) {
      check(item?.resourceFieldRef?.containerName, place.at("downwardAPI", "items", number));
    }
    for (const [source, projection] of (volume?.projected?.sources ?? []).entries()) {
      for (const [number, item] of (projection?.downwardAPI?.items ?? []).entries()) {
        check(
          item?.resourceFieldRef?.containerName,
          place.at("projected", "sources", source, "downwardAPI", "items", number),
        );
      }
    }
  }
}
