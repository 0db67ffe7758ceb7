import type * as proto from "../proto.js";
import { Long } from "../proto.js";

type MethodName<Service extends { methods: object }> = {
  [Key in keyof Service["methods"]]: Service["methods"][Key] extends { name: infer Name extends string } ? Name : never;
}[keyof Service["methods"]];

/** Every RPC of CRI v1, as `Service/Method`. */
export type Rpc =
  | `RuntimeService/${MethodName<typeof proto.RuntimeServiceDefinition>}`
  | `ImageService/${MethodName<typeof proto.ImageServiceDefinition>}`;

/**
 * The effect of repeating a call.
 *
 * - `reads`: the call changes nothing.
 * - `idempotent`: CRI requires that a second call succeeds without further effect (stop, remove).
 * - `absolute`: the call sets a state, so a second call sets the same state again.
 * - `creates`: a second call creates a second object, or fails because the first call created one.
 */
export type Effect = "reads" | "idempotent" | "absolute" | "creates";

/** How the client sends one RPC. */
export interface CallPolicy {
  readonly effect: Effect;
  /**
   * Whether the client retries the call after UNAVAILABLE, within the caller's retry policy:
   *
   * - `yes`: always.
   * - `on-request`: if the call itself has a `retry` option; otherwise as `never-sent`.
   * - `never-sent`: only if the error proves that no handler of the runtime received the request.
   * - `no`: never.
   */
  readonly retry: "yes" | "on-request" | "never-sent" | "no";
  /**
   * Returns the default time limit of the call in milliseconds, retries included; `undefined` for none.
   *
   * @param baseMs the base of all limits: two minutes, unless `defaults.timeoutMs` of the client changes it
   * @param request has the `timeout` in seconds that the runtime applies to the operation itself, for RPCs with this field
   */
  readonly budgetMs: (baseMs: number, request: { timeout?: WholeNumber }) => number | undefined;
  /** The reason for this policy. */
  readonly reason: string;
}

type WholeNumber = Long | number | string | undefined;

const base = (baseMs: number) => baseMs;
const none = () => undefined;
const seconds = (value: WholeNumber) => (value === undefined ? 0 : Long.fromValue(value).toNumber());

const reads = (reason: string): CallPolicy => ({ effect: "reads", retry: "yes", budgetMs: base, reason });
const idempotent = (reason: string): CallPolicy => ({ effect: "idempotent", retry: "yes", budgetMs: base, reason });
const absolute = (reason: string): CallPolicy => ({ effect: "absolute", retry: "yes", budgetMs: base, reason });
const creates = (reason: string): CallPolicy => ({ effect: "creates", retry: "never-sent", budgetMs: base, reason });

const query = reads("The call changes nothing, so it can be repeated.");
const listStream = reads(
  "The call changes nothing. The limit covers the whole list. If the stream breaks midway, lists start over with the unary RPC.",
);
const sessionUrl = reads(
  "The call only returns a URL, which expires unless it is used. The limit does not apply to the session at that URL.",
);
const newValues = absolute("The request has the new values, not differences, so a repeated call sets the same values.");
const removal = (object: string) => idempotent(`The call succeeds if the ${object} does not exist.`);

/**
 * The default time limits and retries of all RPCs. The limits follow the kubelet's client. The client retries only UNAVAILABLE:
 * CRI servers answer UNKNOWN for ordinary failures, and after RESOURCE_EXHAUSTED a repeated message would be just as large.
 */
export const callPolicies: Readonly<Record<Rpc, CallPolicy>> = {
  "RuntimeService/Version": query,
  "RuntimeService/Status": query,
  "RuntimeService/RuntimeConfig": query,
  "RuntimeService/PodSandboxStatus": query,
  "RuntimeService/ListPodSandbox": query,
  "RuntimeService/StreamPodSandboxes": listStream,
  "RuntimeService/ContainerStatus": query,
  "RuntimeService/ListContainers": query,
  "RuntimeService/StreamContainers": listStream,
  "RuntimeService/ContainerStats": query,
  "RuntimeService/ListContainerStats": query,
  "RuntimeService/StreamContainerStats": listStream,
  "RuntimeService/PodSandboxStats": query,
  "RuntimeService/ListPodSandboxStats": query,
  "RuntimeService/StreamPodSandboxStats": listStream,
  "RuntimeService/ListMetricDescriptors": query,
  "RuntimeService/ListPodSandboxMetrics": query,
  "RuntimeService/StreamPodSandboxMetrics": listStream,
  "RuntimeService/GetContainerEvents": {
    effect: "reads",
    retry: "no",
    budgetMs: none,
    reason: "The stream stays open until its reader ends it. A retry would hide from the reader that events were lost.",
  },

  "RuntimeService/RunPodSandbox": {
    effect: "creates",
    retry: "never-sent",
    budgetMs: (baseMs) => 2 * baseMs,
    reason:
      "The runtime sets up the network and may pull the pause image, so the limit is twice the base. " +
      "The client repeats a creation only after it has checked which pods exist.",
  },
  "RuntimeService/StopPodSandbox": idempotent("The call succeeds if the pod is stopped or does not exist."),
  "RuntimeService/RemovePodSandbox": removal("pod"),
  "RuntimeService/UpdatePodSandboxResources": newValues,
  "RuntimeService/CheckpointPod": creates(
    "The runtime writes an archive. CRI requires a deadline, so the base applies where no limit is given.",
  ),
  "RuntimeService/RestorePod": creates(
    "The runtime creates a pod and its containers. CRI requires a deadline, so the base applies where no limit is given.",
  ),

  "RuntimeService/CreateContainer": creates(
    "The client repeats a creation only after it has checked which containers exist.",
  ),
  "RuntimeService/StartContainer": creates(
    "The runtime refuses a second start. If the reply was lost, the container's state shows whether it was started.",
  ),
  "RuntimeService/StopContainer": {
    effect: "idempotent",
    retry: "yes",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => baseMs + 1_000 * Math.max(0, seconds(request.timeout)),
    reason:
      "The call succeeds if the container is stopped or does not exist. " +
      "The process has its grace period before the runtime kills it, so the limit is longer by that.",
  },
  "RuntimeService/RemoveContainer": removal("container"),
  "RuntimeService/UpdateContainerResources": newValues,
  "RuntimeService/ReopenContainerLog": absolute("The log is open after the first call and after a second one."),
  "RuntimeService/CheckpointContainer": {
    effect: "creates",
    retry: "never-sent",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => Math.max(baseMs, 1_000 * seconds(request.timeout)),
    reason: "The runtime writes an archive. The limit is at least the timeout that the request sets for the runtime.",
  },
  "RuntimeService/ExecSync": {
    effect: "creates",
    retry: "never-sent",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => {
      const commandSeconds = seconds(request.timeout);
      return commandSeconds > 0 ? baseMs + 1_000 * commandSeconds : undefined;
    },
    reason:
      "A retry could run the command twice. Without a timeout of its own, a command may run for any length of time.",
  },
  "RuntimeService/Exec": sessionUrl,
  "RuntimeService/Attach": sessionUrl,
  "RuntimeService/PortForward": sessionUrl,
  "RuntimeService/UpdateRuntimeConfig": newValues,

  "ImageService/ListImages": query,
  "ImageService/StreamImages": listStream,
  "ImageService/ImageStatus": query,
  "ImageService/ImageFsInfo": query,
  "ImageService/PullImage": {
    effect: "absolute",
    retry: "on-request",
    budgetMs: none,
    reason:
      "The time depends on the size of the image. containerd resolves a tag on every call, and it may refer to another image by then, " +
      "so the caller decides about retries.",
  },
  "ImageService/RemoveImage": removal("image"),
};

const policies = new Map<string, CallPolicy>(
  Object.entries(callPolicies).map(([rpc, policy]) => [`/runtime.v1.${rpc}`, policy]),
);

/** Returns the policy of a gRPC path such as `/runtime.v1.RuntimeService/Version`. */
export function policyOf(path: string): CallPolicy {
  const policy = policies.get(path);
  if (!policy) throw new TypeError(`no call policy for ${path}`);
  return policy;
}
