import { isRecord } from "../../internal/record.js";
import { REDACTED, redactForLog } from "../../internal/redact.js";
import type { JsonObject, JsonValue } from "../../json/message-json.js";
import { messageToJson } from "../../json/message-json.js";
import { ContainerConfig, PullImageRequest, RunPodSandboxRequest } from "../../proto.js";
import type { ContainerManifest, HandlerManifest } from "../manifest/container.js";
import { configureContainer, type ReadEnvironment } from "./container-config.js";
import { environmentOf } from "./environment.js";
import { containerAnnotations } from "./labels.js";
import { placeholderFacts } from "./placeholder-facts.js";
import { namespaceOf } from "./pod-context.js";
import type { ContainerPlan, PodPlanParts, SubPathPlan, VolumePlan } from "./pod-plan-types.js";
import type { MessageContext } from "./sandbox-config.js";

/** Stands for the sandbox's configuration, which the messages after the first repeat. */
const sandboxPlaceholder = "<config of RunPodSandbox>";

/** The parts of a plan that its data shows. */
type Parts = Omit<PodPlanParts, "createContainer" | "subPaths" | "pod" | "node">;

/**
 * Returns a plan as data for JSON. Secrets are replaced: values of environment variables and of HTTP headers, content of files.
 * With `reveal`, the data has the same structure and contains them, to find differences.
 */
export function planData(context: MessageContext, plan: Parts, reveal: boolean): JsonObject {
  const { initContainers = [], containers: mains } = context.pod.spec;
  const containers = [...initContainers, ...mains].map((container, index) => {
    return new ContainerData(context, plan.containers[index]!, container, plan.volumes, reveal);
  });
  const hostsFile = plan.hostsFile(placeholderFacts.podIPs);
  const data = {
    namespace: namespaceOf(context),
    name: context.pod.metadata.name,
    uid: plan.uid,
    hash: plan.hash,
    qosClass: plan.qosClass,
    restartPolicy: context.pod.spec.restartPolicy ?? "Always",
    terminationGracePeriodSeconds: plan.terminationGracePeriodSeconds,
    activeDeadlineSeconds: plan.activeDeadlineSeconds,
    cgroup: plan.cgroup,
    directories: directoriesOf(plan),
    files: [
      ...(hostsFile === undefined ? [] : [{ path: hostsFile.path, mode: "0644", content: hostsContent(hostsFile) }]),
      ...containers.flatMap((container) => container.files()),
    ],
    volumes: plan.volumes.map((volume) => volumeData(volume, reveal)),
    subPaths: containers.flatMap(({ subPaths }) => subPaths),
    pullSecretNames: plan.pullSecrets.map(({ name }) => name),
    containers: containers.map((container) => container.care()),
    messages: messagesOf(plan, containers),
  };
  return toJson(reveal ? data : redactForLog(toJson(data))) as JsonObject;
}

/** What a plan says about one container. */
class ContainerData {
  readonly name: string;
  readonly config: ContainerConfig;
  readonly subPaths: readonly SubPathPlan[];
  readonly #plan: ContainerPlan;
  readonly #container: ContainerManifest;
  readonly #reveal: boolean;

  constructor(
    context: MessageContext,
    plan: ContainerPlan,
    container: ContainerManifest,
    volumes: readonly VolumePlan[],
    reveal: boolean,
  ) {
    const readEnvironment = reveal ? environmentOf : unexpanded;
    const configured = configureContainer(context, container, volumes, placeholderFacts, readEnvironment);
    this.name = container.name;
    this.subPaths = configured.subPaths;
    this.config = configured.config;
    const { lifecycle } = container;
    if (!reveal && lifecycle?.preStop) {
      const shown = { ...container, lifecycle: { ...lifecycle, preStop: withoutHeaderValues(lifecycle.preStop) } };
      this.config.annotations = containerAnnotations(context.pod, shown, 0);
    }
    this.#plan = plan;
    this.#container = container;
    this.#reveal = reveal;
  }

  files(): object[] {
    const path = this.#plan.terminationMessagePath(0);
    return path === undefined ? [] : [{ path, mode: "0666" }];
  }

  /** Probes, hooks and restarts: what the runtime does not do. */
  care(): object {
    const { name, kind, image, restartPolicy, restartPolicyRules } = this.#plan;
    const { startupProbe, livenessProbe, readinessProbe, postStart, preStop } = this.#plan;
    const show = <T extends HandlerManifest>(handler: T | undefined) => {
      return handler && (this.#reveal ? handler : withoutHeaderValues(handler));
    };
    return {
      name,
      kind,
      image,
      restartPolicy,
      restartPolicyRules,
      terminationMessagePath: this.#container.terminationMessagePath ?? "/dev/termination-log",
      terminationMessagePolicy: this.#plan.terminationMessagePolicy,
      startupProbe: show(startupProbe),
      livenessProbe: show(livenessProbe),
      readinessProbe: show(readinessProbe),
      postStart: show(postStart),
      preStop: show(preStop),
    };
  }
}

/** An environment that replaces nothing, because the values may be secret. */
const unexpanded: ReadEnvironment = (...args) => {
  const environment = environmentOf(...args);
  return {
    names: environment.names,
    expand: (text) => text,
    missingIn: (text) => environment.missingIn(text),
    toKeyValues: () => environment.names.map((key) => ({ key, value: Buffer.from(REDACTED) })),
  };
};

function withoutHeaderValues<T extends HandlerManifest>(handler: T): T {
  const { httpGet } = handler;
  if (httpGet?.httpHeaders === undefined) return handler;
  const httpHeaders = httpGet.httpHeaders.map(({ name }) => ({ name, value: REDACTED }));
  return { ...handler, httpGet: { ...httpGet, httpHeaders } };
}

function directoriesOf({ podDirectory, logDirectory, containers, volumes }: Parts): string[] {
  return [
    podDirectory,
    ...volumes.flatMap((volume) => (volume.kind === "emptyDir" || volume.kind === "files" ? [volume.path] : [])),
    ...containers.map(({ name }) => `${podDirectory}/containers/${name}`),
    logDirectory,
    ...containers.map(({ name }) => `${logDirectory}/${name}`),
  ];
}

function hostsContent({ head, nodeHosts, tail }: { head: string; nodeHosts: boolean; tail: string }): string {
  return `${head}${nodeHosts ? "<hosts file of the node>\n" : ""}${tail}`;
}

function volumeData(volume: VolumePlan, reveal: boolean): object {
  if (volume.kind !== "files") return volume;
  const files = volume.files.map(({ path, mode, uid, content }) => ({
    path,
    mode: mode.toString(8).padStart(4, "0"),
    uid,
    content: reveal ? Buffer.from(content).toString("base64") : `<${content.length} bytes>`,
  }));
  return { ...volume, files };
}

/** All messages of the pod's first start, in order. */
function messagesOf(plan: Parts, containers: readonly ContainerData[]): object[] {
  const sandbox = plan.sandbox(0);
  const pulled = new Set<string>();
  const pull = (image: ContainerPlan["image"]) => {
    if (image.pullPolicy === "Never" || pulled.has(image.reference)) return [];
    pulled.add(image.reference);
    const request = messageToJson(PullImageRequest, plan.pullImage(image, sandbox.config!));
    return [{ rpc: "PullImage", image: image.reference, request: { ...request, sandboxConfig: sandboxPlaceholder } }];
  };
  const podSandboxId = placeholderFacts.podSandboxId;
  return [
    { rpc: "RunPodSandbox", request: messageToJson(RunPodSandboxRequest, sandbox) },
    ...plan.volumes.flatMap((volume) => (volume.kind === "image" ? pull(volume.image) : [])),
    ...containers.flatMap(({ name, config }, index) => [
      ...pull(plan.containers[index]!.image),
      {
        rpc: "CreateContainer",
        container: name,
        request: { podSandboxId, config: messageToJson(ContainerConfig, config), sandboxConfig: sandboxPlaceholder },
      },
      { rpc: "StartContainer", container: name, request: { containerId: `<container ${name}>` } },
    ]),
  ];
}

/** The fields whose keys the manifest names, so that their order depends on the document. */
const maps: ReadonlySet<string> = new Set(["labels", "annotations", "sysctls", "unified"]);

/** Converts to plain JSON data: integers beyond 2^53 become strings, unset fields are omitted, keys of maps are sorted. */
function toJson(value: unknown, field = ""): JsonValue {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map((item) => toJson(item));
  if (!isRecord(value)) return value as JsonValue;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (maps.has(field)) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, toJson(item, key)]));
}
