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
 * What repeating a call does.
 *
 * - `reads`: nothing ever changes.
 * - `idempotent`: the contract says that a second call succeeds without further effect (stop, remove).
 * - `absolute`: sets a state, so that a second call sets the same state again.
 * - `creates`: a second call makes a second thing, or fails because the first made one.
 */
export type Effect = "reads" | "idempotent" | "absolute" | "creates";

/** How one RPC behaves on the wire. */
export interface CallPolicy {
  readonly effect: Effect;
  /**
   * Whether UNAVAILABLE is retried, within the caller's policy: always; when the call itself asks for it; only when it is
   * certain that the request reached no handler (`unsent`, which the first two include); or never.
   */
  readonly retry: "yes" | "on-request" | "unsent" | "no";
  /** The default budget in milliseconds, from the base (two minutes unless changed) and the request; undefined is none. */
  readonly budgetMs: (baseMs: number, request: { timeout?: WholeNumber }) => number | undefined;
  /** Why the row reads as it does. */
  readonly reason: string;
}

type WholeNumber = Long | number | string | undefined;

const base = (baseMs: number) => baseMs;
const none = () => undefined;
const seconds = (value: WholeNumber) => (value === undefined ? 0 : Long.fromValue(value).toNumber());

const read = (reason: string): CallPolicy => ({ effect: "reads", retry: "yes", budgetMs: base, reason });
const idempotent = (reason: string): CallPolicy => ({ effect: "idempotent", retry: "yes", budgetMs: base, reason });
const absolute = (reason: string): CallPolicy => ({ effect: "absolute", retry: "yes", budgetMs: base, reason });
const creates = (reason: string): CallPolicy => ({ effect: "creates", retry: "unsent", budgetMs: base, reason });

/**
 * The one table of default budgets and retries. Budgets follow the kubelet's client; only UNAVAILABLE is ever retried, because
 * CRI servers answer UNKNOWN for ordinary failures and a repeated RESOURCE_EXHAUSTED would be just as large.
 */
export const callPolicies = {
  "RuntimeService/Version": read("asks only"),
  "RuntimeService/Status": read("asks only"),
  "RuntimeService/RuntimeConfig": read("asks only"),
  "RuntimeService/PodSandboxStatus": read("asks only"),
  "RuntimeService/ListPodSandbox": read("asks only"),
  "RuntimeService/StreamPodSandboxes": read(
    "asks only; the budget covers the whole list, and a list that has begun starts over by other means",
  ),
  "RuntimeService/ContainerStatus": read("asks only"),
  "RuntimeService/ListContainers": read("asks only"),
  "RuntimeService/StreamContainers": read("as StreamPodSandboxes"),
  "RuntimeService/ContainerStats": read("asks only"),
  "RuntimeService/ListContainerStats": read("asks only"),
  "RuntimeService/StreamContainerStats": read("as StreamPodSandboxes"),
  "RuntimeService/PodSandboxStats": read("asks only"),
  "RuntimeService/ListPodSandboxStats": read("asks only"),
  "RuntimeService/StreamPodSandboxStats": read("as StreamPodSandboxes"),
  "RuntimeService/ListMetricDescriptors": read("asks only"),
  "RuntimeService/ListPodSandboxMetrics": read("asks only"),
  "RuntimeService/StreamPodSandboxMetrics": read("as StreamPodSandboxes"),
  "RuntimeService/GetContainerEvents": {
    effect: "reads",
    retry: "no",
    budgetMs: none,
    reason:
      "lives as long as its reader wants; a gap must be seen by the reader, so it is not repeated behind its back",
  },

  "RuntimeService/RunPodSandbox": {
    effect: "creates",
    retry: "unsent",
    budgetMs: (baseMs) => 2 * baseMs,
    reason:
      "sets up the network and may pull the pause image, hence twice the base; repeated only after a look at what exists",
  },
  "RuntimeService/StopPodSandbox": idempotent("succeeds on a stopped and on a missing pod"),
  "RuntimeService/RemovePodSandbox": idempotent("succeeds on a missing pod"),
  "RuntimeService/UpdatePodSandboxResources": absolute("carries the new values, not differences"),
  "RuntimeService/CheckpointPod": creates(
    "writes an archive; the contract wants a deadline, so the base stands in for a missing one",
  ),
  "RuntimeService/RestorePod": creates(
    "makes a pod and its containers; the contract wants a deadline, as for CheckpointPod",
  ),

  "RuntimeService/CreateContainer": creates("repeated only after a look at what exists"),
  "RuntimeService/StartContainer": creates(
    "a second start is refused; after a lost answer the container's state tells",
  ),
  "RuntimeService/StopContainer": {
    effect: "idempotent",
    retry: "yes",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => baseMs + 1_000 * Math.max(0, seconds(request.timeout)),
    reason: "succeeds on a stopped and on a missing container; the process has its grace period before the work begins",
  },
  "RuntimeService/RemoveContainer": idempotent("succeeds on a missing container"),
  "RuntimeService/UpdateContainerResources": absolute("carries the new values, not differences"),
  "RuntimeService/ReopenContainerLog": absolute("an open log that is opened again is an open log"),
  "RuntimeService/CheckpointContainer": {
    effect: "creates",
    retry: "unsent",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => Math.max(baseMs, 1_000 * seconds(request.timeout)),
    reason: "writes an archive; the runtime's own limit must not be cut short",
  },
  "RuntimeService/ExecSync": {
    effect: "creates",
    retry: "unsent",
    budgetMs: (baseMs, request: { timeout?: WholeNumber }) => {
      const commandSeconds = seconds(request.timeout);
      return commandSeconds > 0 ? baseMs + 1_000 * commandSeconds : undefined;
    },
    reason: "a command may not be run twice; without a time limit of its own it may take for ever",
  },
  "RuntimeService/Exec": read("hands out a URL that lapses unused; the session behind it is another matter"),
  "RuntimeService/Attach": read("as Exec"),
  "RuntimeService/PortForward": read("as Exec"),
  "RuntimeService/UpdateRuntimeConfig": absolute("carries the new values"),

  "ImageService/ListImages": read("asks only"),
  "ImageService/StreamImages": read("as StreamPodSandboxes"),
  "ImageService/ImageStatus": read("asks only"),
  "ImageService/ImageFsInfo": read("asks only"),
  "ImageService/PullImage": {
    effect: "absolute",
    retry: "on-request",
    budgetMs: none,
    reason:
      "a big image takes as long as it takes; containerd resolves a tag anew on every call, so a repeat is the caller's decision",
  },
  "ImageService/RemoveImage": idempotent("succeeds on a missing image"),
} as const satisfies Record<Rpc, CallPolicy>;

const policies = new Map<string, CallPolicy>(
  Object.entries(callPolicies).map(([rpc, policy]) => [`/runtime.v1.${rpc}`, policy]),
);

/** The policy of a gRPC path such as `/runtime.v1.RuntimeService/Version`. */
export function policyOf(path: string): CallPolicy {
  const policy = policies.get(path);
  if (!policy) throw new TypeError(`no call policy for ${path}`);
  return policy;
}
