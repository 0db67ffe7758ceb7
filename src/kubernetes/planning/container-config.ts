import { ContainerConfig, ImageSpec } from "../../proto.js";
import { type StopSignal, toSignal } from "../../specs/signal.js";
import type { ContainerManifest } from "../manifest/container.js";
import { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import { containerSecurity } from "./container-security.js";
import { type ContainerEnvironment, environmentOf } from "./environment.js";
import { imagePlan } from "./images.js";
import { containerAnnotations, containerLabels, podAnnotations } from "./labels.js";
import { containerResources } from "./linux-resources.js";
import { mountsOf } from "./mounts.js";
import { containerPath } from "./pod-context.js";
import { namespaceOptionsOf } from "./pod-namespaces.js";
import type { ContainerFacts, SubPathPlan, VolumePlan } from "./pod-plan-types.js";
import type { MessageContext } from "./sandbox-config.js";
import { terminationMessagePathOf } from "./termination-message.js";

/** The configuration of one attempt of a container, and the sub-paths that must be mounted before it is created. */
export interface ConfiguredContainer {
  config: ContainerConfig;
  subPaths: readonly SubPathPlan[];
}

/** Resolves the environment. A printed configuration must not contain its values. */
export type ReadEnvironment = typeof environmentOf;

/**
 * Configures one attempt of a container, as a kubelet does.
 *
 * @throws InvalidManifestError with everything that the container refers to and that is missing
 */
export function configureContainer(
  context: MessageContext,
  container: ContainerManifest,
  volumes: readonly VolumePlan[],
  facts: ContainerFacts,
  readEnvironment: ReadEnvironment = environmentOf,
): ConfiguredContainer {
  const { pod, node } = context;
  const faults = new ManifestFaults();
  const environment = readEnvironment(context, container, facts.podIPs, faults);
  const terminationMessagePath = terminationMessagePathOf(context, container, facts.attempt);
  const imageVolumes = imageVolumesOf(context, facts);
  const inputs = { volumes, environment, podIPs: facts.podIPs, imageVolumes, terminationMessagePath };
  const { mounts, subPaths } = mountsOf(context, container, inputs, faults);
  faults.throwIfAny();
  const config = ContainerConfig.create({
    metadata: { name: container.name, attempt: facts.attempt },
    image: ImageSpec.create({ image: facts.image.id, userSpecifiedImage: container.image }),
    ...commandOf(container, environment),
    workingDir: container.workingDir ?? "",
    envs: environment.toKeyValues(),
    mounts,
    labels: containerLabels(context, container),
    annotations: containerAnnotations(pod, container, facts.attempt),
    logPath: `${container.name}/${facts.attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: containerResources(context, container),
      securityContext: containerSecurity(pod, container, node, facts.image, namespaceOptionsOf(context)),
    },
    stopSignal: stopSignalOf(context, container),
  });
  return { config, subPaths };
}

function commandOf({ command, args }: ContainerManifest, environment: ContainerEnvironment) {
  const expand = (text: string) => environment.expand(text);
  return { command: (command ?? []).map(expand), args: (args ?? []).map(expand) };
}

function imageVolumesOf({ pod }: MessageContext, { imageVolumes }: ContainerFacts): Record<string, ImageSpec> {
  const specs: Record<string, ImageSpec> = {};
  for (const { name, image } of pod.spec.volumes ?? []) {
    if (image === undefined) continue;
    const { reference } = imagePlan(image.reference ?? "", image.pullPolicy);
    specs[name] = ImageSpec.create({
      image: imageVolumes[reference] ?? "",
      userSpecifiedImage: image.reference ?? "",
      annotations: podAnnotations(pod),
    });
  }
  return specs;
}

function stopSignalOf({ pod, node }: MessageContext, container: ContainerManifest) {
  const signal = node.containerStopSignals ? container.lifecycle?.stopSignal : undefined;
  return toSignal(signal as StopSignal | undefined, `${containerPath(pod, container)}.lifecycle.stopSignal`);
}
