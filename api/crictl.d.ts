// The public types of k8s-cri-client/crictl. Written by `npm run api`.

export type { CrictlConfigOptions };
export type { CrictlOutputOptions };
export { fromCrictlContainerConfig };
export { fromCrictlImages };
export { fromCrictlInspect };
export { fromCrictlInspecti };
export { fromCrictlInspectp };
export { fromCrictlPodConfig };
export { fromCrictlPods };
export { fromCrictlPs };
export { toCrictlContainerConfig };
export { toCrictlPodConfig };

import type { Container } from "k8s-cri-client/proto";
import type { ContainerConfig } from "k8s-cri-client/proto";
import type { Image } from "k8s-cri-client/proto";
import type { PodSandbox } from "k8s-cri-client/proto";
import type { PodSandboxConfig } from "k8s-cri-client/proto";

interface CrictlConfigOptions {
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

interface CrictlOutputOptions {
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

declare function fromCrictlContainerConfig(file: string | object, options?: CrictlConfigOptions): ContainerConfig;

declare function fromCrictlImages(output: string | object, options?: CrictlOutputOptions): Image[];

declare function fromCrictlInspect(output: string | object, options?: CrictlOutputOptions): ContainerInspection[];

declare function fromCrictlInspecti(
  output: string | object,
  options?: CrictlOutputOptions,
): {
  image: Image;
  info: Record<string, string>;
}[];

declare function fromCrictlInspectp(output: string | object, options?: CrictlOutputOptions): PodInspection[];

declare function fromCrictlPodConfig(file: string | object, options?: CrictlConfigOptions): PodSandboxConfig;

declare function fromCrictlPods(output: string | object, options?: CrictlOutputOptions): PodSandbox[];

declare function fromCrictlPs(output: string | object, options?: CrictlOutputOptions): Container[];

declare function toCrictlContainerConfig(config: ContainerConfig): string;

declare function toCrictlPodConfig(config: PodSandboxConfig): string;
