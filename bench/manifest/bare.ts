/** The messages of a plan through plain nice-grpc stubs: the time that the runtime itself takes. @module */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ContainerPlan, PodPlan } from "k8s-cri-client/kubernetes";
import { ContainerState, ImageServiceDefinition, Long, RuntimeServiceDefinition } from "k8s-cri-client/proto";
import { createChannel, createClient } from "nice-grpc";

export class Bare implements Disposable {
  readonly #channel;
  readonly #runtime;
  readonly #images;

  constructor(endpoint: string) {
    this.#channel = createChannel(endpoint);
    this.#runtime = createClient(RuntimeServiceDefinition, this.#channel);
    this.#images = createClient(ImageServiceDefinition, this.#channel);
  }

  /** Makes what the containers mount, without any content. Returns what removes it. */
  async prepare(plan: PodPlan): Promise<AsyncDisposable> {
    for (const container of plan.containers) {
      for (const { hostPath } of configOf(container, "", "")?.mounts ?? []) {
        const isFile = !hostPath.includes("/volumes/");
        await mkdir(isFile ? dirname(hostPath) : hostPath, { recursive: true });
        if (isFile) await writeFile(hostPath, "");
      }
    }
    return { [Symbol.asyncDispose]: () => rm(plan.podDirectory, { recursive: true }) };
  }

  /** Starts the containers. */
  async start(plan: PodPlan): Promise<string> {
    const sandbox = plan.sandbox(0);
    const { podSandboxId } = await this.#runtime.runPodSandbox(sandbox);
    for (const container of plan.containers) {
      const { image } = await this.#images.imageStatus({ image: { image: container.image.reference } });
      const config = configOf(container, podSandboxId, image?.id ?? "");
      const { containerId } = await this.#runtime.createContainer({
        podSandboxId,
        config,
        sandboxConfig: sandbox.config,
      });
      await this.#runtime.startContainer({ containerId });
      const { status } = await this.#runtime.containerStatus({ containerId });
      if (status?.state !== ContainerState.CONTAINER_RUNNING) throw new Error(`${container.name} is not running`);
    }
    return podSandboxId;
  }

  /** Removes the pod. Stops its containers at the same time, as a kubelet does. */
  async remove(podSandboxId: string): Promise<void> {
    const { containers } = await this.#runtime.listContainers({ filter: { podSandboxId } });
    await Promise.all(containers.map(({ id }) => this.#runtime.stopContainer({ containerId: id, timeout: Long.ZERO })));
    await this.#runtime.stopPodSandbox({ podSandboxId });
    await Promise.all(containers.map(({ id }) => this.#runtime.removeContainer({ containerId: id })));
    await this.#runtime.removePodSandbox({ podSandboxId });
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

function configOf(container: ContainerPlan, podSandboxId: string, id: string) {
  return container.config({ podSandboxId, podIPs: [], attempt: 0, image: { id }, imageVolumes: {} });
}
