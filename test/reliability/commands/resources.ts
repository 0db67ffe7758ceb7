import fc from "fast-check";
import type { ContainerSpec, CriClient, OwnedContainer, OwnedPodSandbox, PodSpec } from "../../../src/index.js";
import { ContainerState, PodSandboxState } from "../../../src/proto.js";
import { type ContainerCommand, commandOf, containerCommands } from "../container-programs.js";
import type { OwnedPodRecord } from "../expectations.js";
import { marginMs } from "../invariants.js";
import { type CallPlan, callPlan, type Operation, unlimited } from "../operation.js";
import { recordOwned } from "../ownership.js";
import type { World } from "../world.js";
import { anyIndex, pauseLength, pick, type Steps, step, waitBeforeNext } from "./step.js";

const callPlans = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(callPlan) },
  { weight: 1, arbitrary: fc.array(callPlan, { minLength: 2, maxLength: 4 }) },
) as fc.Arbitrary<CallPlan[]>;
const rareFlag = fc.nat({ max: 3 }).map((n) => n === 0);

interface PodRequest {
  readonly slot: number;
  readonly withUid: boolean;
  readonly variant: boolean;
  readonly adopt: boolean;
}

function beginPod(world: World, { slot, withUid, variant, adopt }: PodRequest, plan: CallPlan): void {
  const spec: PodSpec = {
    name: `pod-${slot}`,
    ...(withUid ? { uid: `uid-${slot}` } : {}),
    labels: { variant: String(variant) },
    logDirectory: `${world.folder}/pod-${slot}`,
  };
  const operation = world.begin(
    `pods.run ${spec.name} ${spec.uid ?? ""}${adopt ? " adopt" : ""}`,
    plan,
    (call, client) => client.pods.run(spec, { ...call.options(world.longLived.signal), adopt }),
    (call) => recordOwned(world, call, "pod", adopt),
  );
  if (withUid) operation.repeat = (client, options) => client.pods.run(spec, options);
}

interface ContainerRequest {
  readonly byId: boolean;
  readonly slot: number;
  readonly command: ContainerCommand;
  readonly image: string;
  readonly start: boolean;
  readonly adopt: boolean;
}

function beginContainer(world: World, pod: OwnedPodRecord, request: ContainerRequest, plan: CallPlan): void {
  const { byId, slot, command, image, start, adopt } = request;
  const { handle } = pod;
  const target = byId ? handle.id : handle;
  const spec: ContainerSpec = { name: `c-${slot}`, image, command: [...containerCommands[command]] };
  const verb = start ? "run" : "create";
  const operation = world.begin(
    `containers.${verb} ${spec.name}${adopt ? " adopt" : ""} (${command}) in ${handle.id.slice(0, 6)}`,
    plan,
    (call, client) => client.containers[verb](target, spec, { ...call.options(world.longLived.signal), adopt }),
    (call) => recordOwned(world, call, "container", adopt),
  );
  operation.repeat = (client, options) =>
    client.containers.create(handle, { ...spec, command: [...containerCommands.stays] }, options);
}

/** Creates a pod with a running container, so that the first commands have objects to work with. */
export async function createInitialObjects(world: World): Promise<void> {
  beginPod(world, { slot: 0, withUid: true, variant: false, adopt: false }, unlimited);
  await world.settle(world.operations, marginMs);
  const [pod] = world.expectations.pods;
  if (!pod) return world.reportViolation("could not create the initial pod");
  const request = { byId: false, slot: 0, command: "stays", image: "busybox:1", start: true, adopt: false } as const;
  beginContainer(world, pod, request, unlimited);
  await world.settle(world.operations, marginMs);
}

/** Runs pods, sometimes several with one identity in parallel. */
const runPods = step(
  5,
  "run pods",
  fc.record({
    slot: fc.nat({ max: 2 }),
    withUid: fc.boolean(),
    variant: rareFlag,
    adopt: rareFlag,
    plans: callPlans,
    pause: pauseLength,
  }),
  async (world, { plans, pause, ...request }) => {
    const since = world.operations.length;
    for (const plan of plans) beginPod(world, request, plan);
    await waitBeforeNext(world, pause, since);
  },
);

/** Creates containers in existing and in removed pods. */
const createContainers = step(
  7,
  "create containers",
  fc.record({
    pod: anyIndex,
    byId: rareFlag,
    slot: fc.nat({ max: 1 }),
    command: fc.constantFrom<ContainerCommand>("stays", "stays", "stays", "ends", "broken"),
    image: fc.constantFrom("busybox:1", "busybox:1", "other:2"),
    start: fc.boolean(),
    adopt: rareFlag,
    plans: callPlans,
    pause: pauseLength,
  }),
  async (world, { pod, plans, pause, ...request }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    for (const plan of plans) beginContainer(world, owned, request, plan);
    await waitBeforeNext(world, pause, since);
  },
  ({ pods }) => pods.length > 0,
);

type ContainerVerb =
  | "start"
  | "stop"
  | "remove"
  | "status"
  | "updateResources"
  | "reopenLog"
  | "wait"
  | "restart"
  | "execSync";

/** Calls one method of an existing or removed container. */
const workWithContainer = step(
  8,
  "work with a container",
  fc.record({
    container: anyIndex,
    verb: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<ContainerVerb>("start", "stop", "execSync") },
      { weight: 2, arbitrary: fc.constantFrom<ContainerVerb>("remove", "restart") },
      { weight: 1, arbitrary: fc.constantFrom<ContainerVerb>("status", "updateResources", "reopenLog", "wait") },
    ),
    ms: fc.nat({ max: 60 }),
    plan: callPlan,
    pause: pauseLength,
  }),
  async (world, { container, verb, ms, plan, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    const { id } = owned.handle;
    const options = (call: Operation) => call.options(world.longLived.signal);
    const send: Record<ContainerVerb, (call: Operation, client: CriClient) => Promise<unknown>> = {
      start: (call, { containers }) => containers.get(id).start(options(call)),
      stop: (call, { containers }) => containers.get(id).stop({ ...options(call), gracePeriodSeconds: ms % 2 }),
      remove: (call, { containers }) => containers.remove(id, options(call)),
      status: (call, { containers }) => containers.get(id).status(options(call)),
      updateResources: (call, { containers }) =>
        containers.get(id).updateResources({ resources: { limits: { cpu: "100m" } } }, options(call)),
      reopenLog: (call, { containers }) => containers.get(id).reopenLog(options(call)),
      // This call may wait forever, so the final checks abort it.
      wait: (call, { containers }) => containers.get(id).wait({ ...options(call), signal: call.controller.signal }),
      restart: (call) => owned.handle.restart(options(call)),
      execSync: (call, { containers }) => containers.get(id).execSync(commandOf(call.number, ms), options(call)),
    };
    const operation = world.begin(`containers.${verb} ${id.slice(0, 6)}`, plan, send[verb], (call) => {
      if (verb === "restart") recordOwned(world, call, "container", false);
      if (call.fulfilled) checkResult(world, call, verb, id);
    });
    if (verb === "remove") world.expectations.recordRemoval(id, operation);
    if (verb === "restart") world.expectations.recordSideEffect(id, operation);
    await waitBeforeNext(world, pause, since);
  },
  ({ containers }) => containers.length > 0,
);

/** Checks the effect and the result of a successful call. */
function checkResult(world: World, operation: Operation, verb: ContainerVerb, id: string): void {
  const value = (operation.outcome as { value: unknown }).value;
  const current = world.runtime.containers.find((container) => container.id === id);
  if (verb === "start" && current?.state === ContainerState.CONTAINER_CREATED)
    world.reportViolation(`${operation} did not start the container`);
  if (verb === "start" && !world.truth.starts.has(id))
    world.reportViolation(`${operation} did not run the container's process`);
  const running = current?.state === ContainerState.CONTAINER_RUNNING;
  if (verb === "stop" && running && !startedDuring(world, operation, id))
    world.reportViolation(`${operation} did not stop the container`);
  if (verb === "status" && (value as { id: string }).id !== id)
    world.reportViolation(`${operation} returned the status of another container`);
  if (verb !== "execSync") return;
  const { exitCode, stdout } = value as { exitCode: number; stdout: string };
  if (exitCode !== 7 || stdout !== `done ${operation.number}\n`)
    world.reportViolation(`${operation} returned the output of another command`);
}

/** Returns whether the runtime received a start of the container during the operation. */
function startedDuring(world: World, { startedAt }: Operation, id: string): boolean {
  const since = performance.timeOrigin + startedAt - 1;
  const starts = world.runtime.callsOf("StartContainer").filter(({ request }) => request.containerId === id);
  return starts.some(({ endedAt }) => endedAt === undefined || endedAt.getTime() >= since);
}

const workWithPod = step(
  3,
  "work with a pod",
  fc.record({
    pod: anyIndex,
    verb: fc.constantFrom("stop" as const, "remove" as const, "status" as const, "inspect" as const),
    plan: callPlan,
    pause: pauseLength,
  }),
  async (world, { pod, verb, plan, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    const { id } = owned.handle;
    const operation = world.begin(
      `pods.${verb} ${id.slice(0, 6)}`,
      plan,
      (call, { pods }) => pods.get(id)[verb](call.options(world.longLived.signal)),
      (call) => {
        const ready = world.runtime.pods.some((one) => one.id === id && one.state === PodSandboxState.SANDBOX_READY);
        if (verb === "stop" && call.fulfilled && ready) world.reportViolation(`${call} did not stop the pod`);
      },
    );
    if (verb === "remove") world.expectations.recordRemoval(id, operation);
    await waitBeforeNext(world, pause, since);
  },
  ({ pods }) => pods.length > 0,
);

/** Disposes of a handle. Its object must then be removed. */
const dispose = step(
  6,
  "dispose",
  fc.record({ index: fc.nat({ max: 30 }), pause: pauseLength }),
  async (world, { index, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.owned, index);
    if (!owned) return;
    const { kind, handle, released } = owned;
    const operation = world.begin(`${kind}.dispose ${handle.id.slice(0, 6)}`, unlimited, () => handle.dispose());
    if (!released) {
      owned.disposal ??= operation;
      world.expectations.recordRemoval(handle.id, operation);
    }
    await waitBeforeNext(world, pause, since);
  },
  ({ owned }) => owned.length > 0,
);

const release = step(
  1,
  "release",
  anyIndex,
  (world, index) => {
    const owned = pick<{ handle: OwnedPodSandbox | OwnedContainer; disposal: unknown; released: boolean }>(
      world.expectations.owned,
      index,
    );
    if (!owned || owned.disposal) return;
    owned.handle.release();
    owned.released = true;
    world.history.note(`released   ${owned.handle.id.slice(0, 6)}`);
  },
  ({ owned }) => owned.length > 0,
);

/** Makes read-only calls. */
const readNode = step(
  2,
  "read from the node",
  fc.record({
    verb: fc.constantFrom(
      "version" as const,
      "status" as const,
      "pods" as const,
      "containers" as const,
      "pull" as const,
    ),
    plan: callPlan,
    pause: pauseLength,
  }),
  async (world, { verb, plan, pause }) => {
    const since = world.operations.length;
    const options = (call: Operation) => call.options(world.longLived.signal);
    const send: Record<typeof verb, (call: Operation, client: CriClient) => Promise<unknown>> = {
      version: (call, client) => client.version(options(call)),
      status: (call, client) => client.status(options(call)),
      pods: (call, client) => client.pods.list({}, options(call)),
      containers: (call, client) => client.containers.list({}, options(call)),
      pull: (call, client) => client.images.pull(`pulled-${call.number}:1`, options(call)),
    };
    world.begin(`node.${verb}`, plan, send[verb], (call) => {
      if (!call.fulfilled || (verb !== "pods" && verb !== "containers")) return;
      const listed = new Set(((call.outcome as { value: unknown }).value as { id: string }[]).map(({ id }) => id));
      for (const { kind, id, present, firstSeenAt } of world.truth.objects.values()) {
        const presentThroughout = present && firstSeenAt < call.startedAt;
        if (`${kind}s` === verb && presentThroughout && !listed.has(id))
          world.reportViolation(`${call} does not list ${kind} ${id}`);
      }
    });
    await waitBeforeNext(world, pause, since);
  },
);

export const resourceSteps: readonly Steps[] = [
  runPods,
  createContainers,
  workWithContainer,
  workWithPod,
  dispose,
  release,
  readNode,
];
