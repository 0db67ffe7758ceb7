import type { ContainerManifest, ProbeManifest } from "../manifest/container.js";
import { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import { configureContainer } from "./container-config.js";
import { environmentOf } from "./environment.js";
import { checkUser } from "./image-user.js";
import { imagePlan } from "./images.js";
import type { ContainerFacts, ContainerPlan, ImageFacts, VolumePlan } from "./pod-plan-types.js";
import { portsOf } from "./ports.js";
import type { MessageContext } from "./sandbox-config.js";
import { terminationMessagePathOf } from "./termination-message.js";

/** Plans the containers of a pod: init containers and sidecars in their order, then the main containers. */
export function containerPlans(context: MessageContext, volumes: readonly VolumePlan[]): ContainerPlan[] {
  const { initContainers = [], containers } = context.pod.spec;
  return [...initContainers, ...containers].map((container) => {
    const isSidecar = container.restartPolicy === "Always";
    const kind = !initContainers.includes(container) ? "main" : isSidecar ? "sidecar" : "init";
    return containerPlan(context, container, kind, volumes);
  });
}

function containerPlan(
  context: MessageContext,
  container: ContainerManifest,
  kind: ContainerPlan["kind"],
  volumes: readonly VolumePlan[],
): ContainerPlan {
  const { pod } = context;
  const { name, startupProbe, livenessProbe, readinessProbe, lifecycle } = container;
  const ports = portsOf(pod.spec, container).flatMap(({ name, containerPort }): [string, number][] => {
    return name ? [[name, containerPort]] : [];
  });
  return {
    name,
    kind,
    image: imagePlan(container.image, container.imagePullPolicy),
    restartPolicy: container.restartPolicy ?? policyOf(pod.spec.restartPolicy ?? "Always", kind),
    restartPolicyRules: container.restartPolicyRules ?? [],
    terminationMessagePath: (attempt) => terminationMessagePathOf(context, container, attempt),
    terminationMessagePolicy: container.terminationMessagePolicy ?? "File",
    startupProbe: startupProbe && withProbeDefaults(startupProbe),
    livenessProbe: livenessProbe && withProbeDefaults(livenessProbe),
    readinessProbe: readinessProbe && withProbeDefaults(readinessProbe),
    postStart: lifecycle?.postStart,
    preStop: lifecycle?.preStop,
    ports: Object.fromEntries(ports),
    checkUser: (image: ImageFacts) => checkUser(pod, container, image),
    config: (facts: ContainerFacts) => configureContainer(context, container, volumes, facts).config,
    expand(command: readonly string[], facts: ContainerFacts) {
      const environment = environmentOf(context, container, facts.podIPs, new ManifestFaults());
      return command.map((word) => environment.expand(word));
    },
  };
}

/** An init container that succeeded is not run again, so `Always` means for it to retry failures. */
function policyOf(policy: ContainerPlan["restartPolicy"], kind: ContainerPlan["kind"]): ContainerPlan["restartPolicy"] {
  return kind === "init" && policy === "Always" ? "OnFailure" : policy;
}

function withProbeDefaults(probe: ProbeManifest): ProbeManifest {
  return {
    ...probe,
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    periodSeconds: probe.periodSeconds ?? 10,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  };
}
