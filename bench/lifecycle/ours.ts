/** A pod's life through this package. @module */
import { ContainerState, type CriClient } from "k8s-cri-client";
import { containerSpec, podSpec } from "./pod.js";

export async function live(cri: CriClient, image: string, name: string): Promise<void> {
  const pod = await cri.pods.run(podSpec(name));
  const container = await pod.runContainer(containerSpec(image));
  const { state } = await container.status();
  if (state !== ContainerState.CONTAINER_RUNNING) throw new Error(`The container of ${name} does not run.`);
  await container.remove(); // StopContainer with a grace period of 0 included
  await pod.remove(); // StopPodSandbox included
}
