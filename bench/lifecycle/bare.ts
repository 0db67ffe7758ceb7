/** The same calls through plain nice-grpc stubs: the time that the runtime itself takes. @module */
import {
  ContainerState,
  type ImageServiceClient,
  ImageServiceDefinition,
  Long,
  type RuntimeServiceClient,
  RuntimeServiceDefinition,
} from "k8s-cri-client/proto";
import { createChannel, createClient } from "nice-grpc";
import { containerConfig, podConfig } from "./pod.js";

export class Bare implements Disposable {
  readonly #channel;
  readonly #runtime: RuntimeServiceClient;
  readonly #images: ImageServiceClient;

  constructor(endpoint: string) {
    this.#channel = createChannel(endpoint);
    this.#runtime = createClient(RuntimeServiceDefinition, this.#channel);
    this.#images = createClient(ImageServiceDefinition, this.#channel);
  }

  async runLifecycle(image: string, name: string): Promise<void> {
    const runtime = this.#runtime;
    const pod = podConfig(name);
    const { podSandboxId } = await runtime.runPodSandbox({ config: pod });
    const id = (await this.#images.imageStatus({ image: { image, userSpecifiedImage: image } })).image?.id;
    const config = containerConfig(image, pod, id);
    const { containerId } = await runtime.createContainer({ podSandboxId, config, sandboxConfig: pod });
    await runtime.startContainer({ containerId });
    const { status } = await runtime.containerStatus({ containerId });
    if (status?.state !== ContainerState.CONTAINER_RUNNING) throw new Error(`the container of ${name} is not running`);
    await runtime.stopContainer({ containerId, timeout: Long.ZERO });
    await runtime.removeContainer({ containerId });
    await runtime.listContainers({ filter: { podSandboxId } });
    await runtime.stopPodSandbox({ podSandboxId });
    await runtime.removePodSandbox({ podSandboxId });
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
