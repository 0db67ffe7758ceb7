import fc from "fast-check";
import type { GrpcErrorCode } from "../../src/errors.js";
import type { FakeRuntime, FaultPhase, RpcName } from "../../src/testing/index.js";

/** A fault for one or more of the next calls. */
export interface Fault {
  readonly rpc: RpcName | "*";
  readonly kind: "fail" | "delay" | "hang" | "drop" | "respond";
  readonly phase: FaultPhase;
  readonly code: GrpcErrorCode;
  readonly ms: number;
  readonly times: number;
  /** Distinguishes failures of this fault from those of the runtime. */
  readonly message: string;
}

/** The RPCs to inject faults into. RPCs on which more of the client depends have a larger weight. */
const targets: readonly { weight: number; rpcs: readonly (RpcName | "*")[] }[] = [
  { weight: 6, rpcs: ["RunPodSandbox", "CreateContainer"] },
  { weight: 3, rpcs: ["StartContainer", "RemoveContainer", "RemovePodSandbox", "StopPodSandbox", "StopContainer"] },
  { weight: 3, rpcs: ["ListPodSandbox", "ListContainers", "ContainerStatus", "PodSandboxStatus"] },
  {
    weight: 1,
    rpcs: ["StreamPodSandboxes", "StreamContainers", "ImageStatus", "PullImage", "Version", "GetContainerEvents"],
  },
  { weight: 2, rpcs: ["ExecSync", "Exec", "PortForward", "UpdateContainerResources", "ReopenContainerLog"] },
  { weight: 2, rpcs: ["*"] },
];

const interruptible: ReadonlySet<string> = new Set(["RunPodSandbox", "CreateContainer", "PullImage", "ExecSync"]);
const streams: ReadonlySet<string> = new Set(["StreamPodSandboxes", "StreamContainers", "GetContainerEvents"]);
const creations: ReadonlySet<string> = new Set(["RunPodSandbox", "CreateContainer", "StartContainer", "ExecSync"]);
const lookups: ReadonlySet<string> = new Set(["ContainerStatus", "PodSandboxStatus", "ImageStatus", "*"]);

const codes: readonly GrpcErrorCode[] = [
  "UNAVAILABLE",
  "UNKNOWN",
  "INTERNAL",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "ABORTED",
  "RESOURCE_EXHAUSTED",
  "DATA_LOSS",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
  "INVALID_ARGUMENT",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNIMPLEMENTED",
];
const refusals: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "UNIMPLEMENTED",
]);
const conditions: ReadonlySet<string> = new Set(["NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"]);

/**
 * Replies without fields that CRI requires. Empty lists and NOT_FOUND for existing objects are excluded, because a client
 * cannot detect that they are wrong.
 */
const incomplete: ReadonlyMap<RpcName, (reply: never) => object> = new Map<RpcName, (reply: never) => object>([
  ["RunPodSandbox", () => ({ podSandboxId: "" })],
  ["CreateContainer", () => ({ containerId: "" })],
  ["PodSandboxStatus", () => ({})],
  ["ContainerStatus", (reply: { status?: object }) => ({ ...reply, status: { ...reply.status, metadata: undefined } })],
  ["PullImage", () => ({ imageRef: "" })],
  ["Exec", () => ({ url: "" })],
  ["PortForward", () => ({ url: "nonsense" })],
]);

let count = 0;

export const fault: fc.Arbitrary<Fault> = fc
  .record({
    rpc: fc.oneof(...targets.map(({ weight, rpcs }) => ({ weight, arbitrary: fc.constantFrom(...rpcs) }))),
    kind: fc.oneof(
      { weight: 5, arbitrary: fc.constant("fail" as const) },
      { weight: 3, arbitrary: fc.constant("drop" as const) },
      { weight: 3, arbitrary: fc.constant("delay" as const) },
      { weight: 2, arbitrary: fc.constant("hang" as const) },
      { weight: 1, arbitrary: fc.constant("respond" as const) },
    ),
    phase: fc.constantFrom<FaultPhase>("beforeEffect", "duringEffect", "afterEffect"),
    // UNAVAILABLE is the code of a restarting runtime, and the only code that is retried.
    code: fc.oneof(
      { weight: 1, arbitrary: fc.constant<GrpcErrorCode>("UNAVAILABLE") },
      { weight: 2, arbitrary: fc.constantFrom(...codes) },
    ),
    ms: fc.integer({ min: 1, max: 400 }),
    times: fc.constantFrom(1, 1, 1, 2, 4),
  })
  .map((drawn) => ({ ...withoutFalseReplies(drawn), message: "" }));

/** Pairs of RPCs in which two faults rarely coincide by chance, for example a lost creation and a refused clean-up. */
const faultPairs: readonly (readonly [first: readonly RpcName[], second: readonly RpcName[]])[] = [
  [["RunPodSandbox"], ["ListPodSandbox", "StopPodSandbox", "RemovePodSandbox"]],
  [["CreateContainer"], ["ListContainers", "ContainerStatus", "RemoveContainer"]],
  [["StartContainer"], ["RemoveContainer", "ContainerStatus"]],
  [["StopPodSandbox", "RemovePodSandbox"], ["PodSandboxStatus"]],
  [["StopContainer", "RemoveContainer"], ["ContainerStatus"]],
];

export const combinedFaults: fc.Arbitrary<Fault[]> = fc
  .tuple(fc.constantFrom(...faultPairs), fault, fault, fc.nat(), fc.nat())
  .map(([[first, second], a, b, m, n]) => [onRpc(a, first, m), onRpc(b, second, n)]);

function onRpc(fault: Fault, rpcs: readonly RpcName[], index: number): Fault {
  return { ...withoutFalseReplies({ ...fault, rpc: rpcs[index % rpcs.length] as RpcName }), message: "" };
}

/** Removes combinations in which the runtime would deny an effect that a call had. No client could handle these. */
function withoutFalseReplies(drawn: Omit<Fault, "message">): Omit<Fault, "message"> {
  let { kind, phase, code } = drawn;
  const { rpc } = drawn;
  if (kind === "respond" && !incomplete.has(rpc as RpcName)) kind = "fail";
  if (phase === "duringEffect" && rpc !== "*" && !interruptible.has(rpc) && !streams.has(rpc)) phase = "beforeEffect";
  if (kind === "respond") phase = "afterEffect";
  if (kind === "fail") {
    if (code === "NOT_FOUND" && lookups.has(rpc)) code = "UNKNOWN";
    const refuses = refusals.has(code) || (conditions.has(code) && !creations.has(rpc));
    if (refuses && phase === "afterEffect") phase = "beforeEffect";
  }
  return { ...drawn, kind, phase, code };
}

/**
 * Injects a fault into the runtime.
 *
 * @param onFault called with the request of every call that the fault affects
 */
export function inject(runtime: FakeRuntime, planned: Fault, onFault: (request: object, fault: Fault) => void): void {
  const fault = { ...planned, message: `fault ${++count}` };
  const { rpc, phase, times, ms, code, message } = fault;
  const calls = {
    times,
    match: (request: object) => {
      onFault(request, fault);
      return true;
    },
  };
  const options = { phase, ...calls };
  switch (fault.kind) {
    case "fail":
      runtime.failNext(rpc, { ...options, code, message });
      break;
    case "delay":
      runtime.delayNext(rpc, ms, options);
      break;
    case "hang":
      runtime.hangNext(rpc, options);
      break;
    case "drop":
      runtime.dropNext(rpc, phase, calls);
      break;
    case "respond":
      runtime.respondNext(rpc as RpcName, incomplete.get(rpc as RpcName) as never, calls);
      break;
  }
}

export function describeFault({ rpc, kind, phase, code, ms, times, message }: Fault): string {
  const effect = {
    fail: `fail with ${code}`,
    delay: `delay by ${ms} ms`,
    hang: "hang",
    drop: "drop",
    respond: "incomplete reply",
  };
  return `${rpc}: ${effect[kind]} ${phase}${times > 1 ? ` × ${times}` : ""}${message && ` (${message})`}`;
}
