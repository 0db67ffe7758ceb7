/** The lifecycle of a pod with this package. @module */
import { ContainerState, type CriClient } from "k8s-cri-client";
import { containerSpec, podSpec } from "./pod.js";

export async function runLifecycle(cri: CriClient, image: string, name: string): Promise<void> {
  const pod = await cri.pods.run(podSpec(name));
  const container = await pod.runContainer(containerSpec(image));
  const { state } = await container.status();
  if (state !== ContainerState.CONTAINER_RUNNING) throw new Error(`the container of ${name} is not running`);
  await container.remove(); // calls StopContainer with a grace period of 0 first
  await pod.remove(); // calls StopPodSandbox first
}
