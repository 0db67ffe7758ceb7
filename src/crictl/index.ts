/**
 * `k8s-cri-client/crictl`: reads and writes the files of crictl, and reads its output.
 *
 * ```ts
 * import { fromCrictlContainerConfig, fromCrictlPodConfig } from "k8s-cri-client/crictl";
 *
 * await using pod = await cri.pods.run(fromCrictlPodConfig(await readFile("pod.yaml", "utf8")));
 * const config = fromCrictlContainerConfig(await readFile("container.yaml", "utf8"));
 * await using container = await cri.runContainerInSandbox(pod, config);
 * ```
 *
 * `loadCrictlConfig`, which reads `crictl.yaml`, is in the main entry point.
 *
 * @module k8s-cri-client/crictl
 */
export {
  fromCrictlContainerConfig,
  fromCrictlPodConfig,
  toCrictlContainerConfig,
  toCrictlPodConfig,
} from "./config-files.js";
export {
  fromCrictlImages,
  fromCrictlInspect,
  fromCrictlInspecti,
  fromCrictlInspectp,
  fromCrictlPods,
  fromCrictlPs,
} from "./output.js";
export type { CrictlConfigOptions, CrictlOutputOptions } from "./read-options.js";
