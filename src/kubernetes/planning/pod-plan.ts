import { type InspectOptions, inspect } from "node:util";
import type { CriClient } from "../../client.js";
import { refuse } from "../../input/check.js";
import type { JsonObject } from "../../json/message-json.js";
import { CreateContainerRequest, type PodSandboxConfig, PullImageRequest, RunPodSandboxRequest } from "../../proto.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import type { RunPlanOptions } from "../running/run-pod.js";
import type { RunningPod } from "../running/running-pod.js";
import { configureContainer } from "./container-config.js";
import { containerPlans } from "./container-plan.js";
import { hostsFileOf } from "./hosts-file.js";
import { pulledImage } from "./images.js";
import { planData } from "./plan-data.js";
import { type ComparedData, diffData, type PlanDiff } from "./plan-diff.js";
import { podCgroupOf } from "./pod-cgroup.js";
import type {
  ContainerFacts,
  ContainerPlan,
  HostsFilePlan,
  ImagePlan,
  PodCgroupPlan,
  PodPlanParts,
  PullSecret,
  SubPathPlan,
  VolumePlan,
} from "./pod-plan-types.js";
import { type MessageContext, sandboxConfig } from "./sandbox-config.js";

/** A pod as this package will run it: all files, messages, probes and hooks. Reading a plan does no I/O. */
export class PodPlan implements PodPlanParts {
  readonly #context: MessageContext;
  readonly #pullSecrets: readonly PullSecret[];
  readonly hash: string;
  readonly uid: string;
  readonly qosClass: "Guaranteed" | "Burstable" | "BestEffort";
  readonly podDirectory: string;
  readonly logDirectory: string;
  readonly cgroup: PodCgroupPlan | undefined;
  readonly runtimeHandler: string;
  readonly terminationGracePeriodSeconds: number;
  readonly activeDeadlineSeconds: number | undefined;
  readonly hostNetwork: boolean;
  readonly containers: readonly ContainerPlan[];
  readonly volumes: readonly VolumePlan[];

  /** @internal Use {@link planPod}. */
  constructor(context: MessageContext, volumes: readonly VolumePlan[], pullSecrets: readonly PullSecret[]) {
    const { spec } = context.pod;
    this.#context = context;
    this.#pullSecrets = pullSecrets;
    this.hash = context.hash;
    this.uid = context.uid;
    this.qosClass = context.qosClass;
    this.podDirectory = context.podDirectory;
    this.logDirectory = context.logDirectory;
    this.cgroup = podCgroupOf(context, context.uid);
    this.runtimeHandler = context.runtimeHandler;
    this.terminationGracePeriodSeconds = spec.terminationGracePeriodSeconds ?? 30;
    this.activeDeadlineSeconds = spec.activeDeadlineSeconds;
    this.hostNetwork = spec.hostNetwork ?? false;
    this.volumes = volumes;
    this.containers = containerPlans(context, volumes);
  }

  /** The manifest with its defaults. It contains the values of environment variables. */
  get pod(): PodManifest {
    return this.#context.pod;
  }

  /** The settings of the node that the pod was planned for. */
  get node(): NodeConfig {
    return this.#context.node;
  }

  /** The pull secrets of the pod, or of its service account. */
  get pullSecrets(): readonly PullSecret[] {
    return this.#pullSecrets;
  }

  /** Returns the sub-paths that must be mounted before an attempt of a container is created. */
  subPaths(container: string, facts: ContainerFacts): readonly SubPathPlan[] {
    return configureContainer(this.#context, this.#container(container), this.volumes, facts).subPaths;
  }

  /** Returns the hosts file of the pod; undefined if the containers use their own. */
  hostsFile(podIPs: readonly string[]): HostsFilePlan | undefined {
    return hostsFileOf(this.#context, podIPs);
  }

  /** Returns the request for the pod's sandbox. */
  sandbox(attempt: number): RunPodSandboxRequest {
    return RunPodSandboxRequest.create({
      config: sandboxConfig(this.#context, attempt),
      runtimeHandler: this.runtimeHandler,
    });
  }

  /** Returns the request for an image, without credentials. */
  pullImage(image: ImagePlan, sandbox: PodSandboxConfig): PullImageRequest {
    return PullImageRequest.create({ image: pulledImage(this.pod, image), sandboxConfig: sandbox });
  }

  /** Returns the request for one attempt of a container. */
  createContainer(container: ContainerPlan, facts: ContainerFacts, sandbox: PodSandboxConfig): CreateContainerRequest {
    const { podSandboxId } = facts;
    return CreateContainerRequest.create({ podSandboxId, config: container.config(facts), sandboxConfig: sandbox });
  }

  /**
   * Runs the pod, as a kubelet would, until the handle is disposed of. Continues what an earlier run of the same document left, and
   * replaces what a run of another version of the document left.
   *
   * Resolves as soon as the runtime has answered. Later failures do not reject: they are tried again, and the handle's `status` and
   * `events` show them.
   *
   * ```ts
   * await using web = await plan.run(cri);
   * await web.waitReady({ timeoutMs: 60_000 });
   * ```
   *
   * @throws CriError `ALREADY_EXISTS` if a program on this node runs a pod with this name; InvalidInputError
   */
  async run(cri: CriClient, options?: RunPlanOptions): Promise<RunningPod> {
    const { runPod } = await import("../running/run-pod.js");
    return runPod(cri, this, options);
  }

  #container(name: string): ContainerManifest {
    const { initContainers = [], containers } = this.pod.spec;
    const found = [...initContainers, ...containers].find((container) => container.name === name);
    if (found === undefined) throw new TypeError(`the pod has no container ${name}`);
    return found;
  }

  /**
   * Returns the plan as data for JSON: the directories and files to make, probes and hooks, and all messages in order. Placeholders
   * such as `<pod IP>` stand for what only the run knows. The data contains no values of environment variables, no content of
   * ConfigMaps, Secrets and tokens, and no values of HTTP headers; `$(NAME)` in commands is not replaced.
   */
  toJSON(): JsonObject {
    return planData(this.#context, this, false);
  }

  /** Lists the differences to another plan, such as that of a changed document. As in {@link toJSON}, secrets are not shown. */
  diff(other: PodPlan): PlanDiff {
    if (!(typeof other === "object" && #context in other))
      refuse("other", "must be a plan that planPod of the same copy of this package returned");
    return diffData(this.#data(), other.#data());
  }

  #data(): ComparedData {
    const { uid, hash } = this;
    const revealed = planData(this.#context, this, true);
    return { uid, hash, shown: this.toJSON(), revealed };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `PodPlan ${inspect(this.toJSON(), options)}`;
  }
}
