import fc from "fast-check";
import type { ContainerSpec, CriClient, OwnedContainer, OwnedPodSandbox, PodSpec } from "../../../src/index.js";
import { ContainerState, PodSandboxState } from "../../../src/proto.js";
import { type ContainerCommand, commandOf, containerCommands } from "../container-programs.js";
import type { OwnedPod } from "../expectations.js";
import { marginMs } from "../invariants.js";
import { type HowToCall, howToCall, type Operation, patient } from "../operation.js";
import { noteOwned } from "../ownership.js";
import type { World } from "../world.js";
import { anyIndex, letPass, moment, pick, type Steps, step } from "./step.js";

const several = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(howToCall) },
  { weight: 1, arbitrary: fc.array(howToCall, { minLength: 2, maxLength: 4 }) },
) as fc.Arbitrary<HowToCall[]>;
const rarely = fc.nat({ max: 3 }).map((n) => n === 0);

interface PodRequest {
  readonly slot: number;
  readonly withUid: boolean;
  readonly variant: boolean;
  readonly adopt: boolean;
}

function beginPod(world: World, { slot, withUid, variant, adopt }: PodRequest, how: HowToCall): void {
  const spec: PodSpec = {
    name: `pod-${slot}`,
    ...(withUid ? { uid: `uid-${slot}` } : {}),
    labels: { variant: String(variant) },
    logDirectory: `${world.folder}/pod-${slot}`,
  };
  const operation = world.begin(
    `pods.run ${spec.name} ${spec.uid ?? ""}${adopt ? " adopt" : ""}`,
    how,
    (it, client) => client.pods.run(spec, { ...it.options(world.longLived.signal), adopt }),
    (it) => noteOwned(world, it, "pod", adopt),
  );
  if (withUid) operation.again = (client, options) => client.pods.run(spec, options);
}

interface ContainerRequest {
  readonly byId: boolean;
  readonly slot: number;
  readonly command: ContainerCommand;
  readonly image: string;
  readonly start: boolean;
  readonly adopt: boolean;
}

function beginContainer(world: World, pod: OwnedPod, request: ContainerRequest, how: HowToCall): void {
  const { byId, slot, command, image, start, adopt } = request;
  const { handle } = pod;
  const target = byId ? handle.id : handle;
  const spec: ContainerSpec = { name: `c-${slot}`, image, command: [...containerCommands[command]] };
  const verb = start ? "run" : "create";
  const operation = world.begin(
    `containers.${verb} ${spec.name}${adopt ? " adopt" : ""} (${command}) in ${handle.id.slice(0, 6)}`,
    how,
    (it, client) => client.containers[verb](target, spec, { ...it.options(world.longLived.signal), adopt }),
    (it) => noteOwned(world, it, "container", adopt),
  );
  operation.again = (client, options) =>
    client.containers.create(handle, { ...spec, command: [...containerCommands.stays] }, options);
}

/** A pod with a running container, for the commands to work with from the beginning. */
export async function furnish(world: World): Promise<void> {
  beginPod(world, { slot: 0, withUid: true, variant: false, adopt: false }, patient);
  await world.settle(world.operations, marginMs);
  const [pod] = world.expectations.pods;
  if (!pod) return world.violate("no pod could be made");
  const request = { byId: false, slot: 0, command: "stays", image: "busybox:1", start: true, adopt: false } as const;
  beginContainer(world, pod, request, patient);
  await world.settle(world.operations, marginMs);
}

/** Pods, several of one identity at once included. */
const runPods = step(
  5,
  "run pods",
  fc.record({
    slot: fc.nat({ max: 2 }),
    withUid: fc.boolean(),
    variant: rarely,
    adopt: rarely,
    hows: several,
    pause: moment,
  }),
  async (world, { hows, pause, ...request }) => {
    const since = world.operations.length;
    for (const how of hows) beginPod(world, request, how);
    await letPass(world, pause, since);
  },
);

/** Containers, in pods that are there and in pods that are gone. */
const makeContainers = step(
  7,
  "make containers",
  fc.record({
    pod: anyIndex,
    byId: rarely,
    slot: fc.nat({ max: 1 }),
    command: fc.constantFrom<ContainerCommand>("stays", "stays", "stays", "ends", "broken"),
    image: fc.constantFrom("busybox:1", "busybox:1", "other:2"),
    start: fc.boolean(),
    adopt: rarely,
    hows: several,
    pause: moment,
  }),
  async (world, { pod, hows, pause, ...request }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    for (const how of hows) beginContainer(world, owned, request, how);
    await letPass(world, pause, since);
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

/** What can be done with a container, whether it is there or not. */
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
    how: howToCall,
    pause: moment,
  }),
  async (world, { container, verb, ms, how, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    const { id } = owned.handle;
    const options = (it: Operation) => it.options(world.longLived.signal);
    const send: Record<ContainerVerb, (it: Operation, client: CriClient) => Promise<unknown>> = {
      start: (it, { containers }) => containers.get(id).start(options(it)),
      stop: (it, { containers }) => containers.get(id).stop({ ...options(it), gracePeriodSeconds: ms % 2 }),
      remove: (it, { containers }) => containers.remove(id, options(it)),
      status: (it, { containers }) => containers.get(id).status(options(it)),
      updateResources: (it, { containers }) =>
        containers.get(id).updateResources({ resources: { limits: { cpu: "100m" } } }, options(it)),
      reopenLog: (it, { containers }) => containers.get(id).reopenLog(options(it)),
      // It may wait for ever: in the end it is aborted.
      wait: (it, { containers }) => containers.get(id).wait({ ...options(it), signal: it.controller.signal }),
      restart: (it) => owned.handle.restart(options(it)),
      execSync: (it, { containers }) => containers.get(id).execSync(commandOf(it.number, ms), options(it)),
    };
    const operation = world.begin(`containers.${verb} ${id.slice(0, 6)}`, how, send[verb], (it) => {
      if (verb === "restart") noteOwned(world, it, "container", false);
      if (it.fulfilled) checkAnswer(world, it, verb, id);
    });
    if (verb === "remove") world.expectations.removal(id, operation);
    if (verb === "restart") world.expectations.sideEffect(id, operation);
    await letPass(world, pause, since);
  },
  ({ containers }) => containers.length > 0,
);

/** What a success must mean. */
function checkAnswer(world: World, operation: Operation, verb: ContainerVerb, id: string): void {
  const value = (operation.outcome as { value: unknown }).value;
  const now = world.runtime.containers.find((container) => container.id === id);
  if (verb === "start" && now?.state === ContainerState.CONTAINER_CREATED)
    world.violate(`${operation} did not start it`);
  if (verb === "start" && !world.truth.starts.has(id)) world.violate(`${operation} did not run its process`);
  const running = now?.state === ContainerState.CONTAINER_RUNNING;
  if (verb === "stop" && running && !startedMeanwhile(world, operation, id))
    world.violate(`${operation} did not stop it`);
  if (verb === "status" && (value as { id: string }).id !== id)
    world.violate(`${operation} gave the status of another`);
  if (verb !== "execSync") return;
  const { exitCode, stdout } = value as { exitCode: number; stdout: string };
  if (exitCode !== 7 || stdout !== `done ${operation.number}\n`)
    world.violate(`${operation} gave the answer of another`);
}

/** Whether the runtime was told to start a container while it was told to stop it. */
function startedMeanwhile(world: World, { startedAt }: Operation, id: string): boolean {
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
    how: howToCall,
    pause: moment,
  }),
  async (world, { pod, verb, how, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    const { id } = owned.handle;
    const operation = world.begin(
      `pods.${verb} ${id.slice(0, 6)}`,
      how,
      (it, { pods }) => pods.get(id)[verb](it.options(world.longLived.signal)),
      (it) => {
        const ready = world.runtime.pods.some((one) => one.id === id && one.state === PodSandboxState.SANDBOX_READY);
        if (verb === "stop" && it.fulfilled && ready) world.violate(`${it} did not stop it`);
      },
    );
    if (verb === "remove") world.expectations.removal(id, operation);
    await letPass(world, pause, since);
  },
  ({ pods }) => pods.length > 0,
);

/** Ends the scope of a handle: what it owns is to be gone. */
const dispose = step(
  6,
  "dispose",
  fc.record({ index: fc.nat({ max: 30 }), pause: moment }),
  async (world, { index, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.owned, index);
    if (!owned) return;
    const { kind, handle, released } = owned;
    const operation = world.begin(`${kind}.dispose ${handle.id.slice(0, 6)}`, patient, () =>
      handle[Symbol.asyncDispose](),
    );
    if (!released) {
      owned.disposal ??= operation;
      world.expectations.removal(handle.id, operation);
    }
    await letPass(world, pause, since);
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

/** What asks and changes nothing. */
const askNode = step(
  2,
  "ask the node",
  fc.record({
    verb: fc.constantFrom(
      "version" as const,
      "status" as const,
      "pods" as const,
      "containers" as const,
      "pull" as const,
    ),
    how: howToCall,
    pause: moment,
  }),
  async (world, { verb, how, pause }) => {
    const since = world.operations.length;
    const options = (it: Operation) => it.options(world.longLived.signal);
    const send: Record<typeof verb, (it: Operation, client: CriClient) => Promise<unknown>> = {
      version: (it, client) => client.version(options(it)),
      status: (it, client) => client.status(options(it)),
      pods: (it, client) => client.pods.list({}, options(it)),
      containers: (it, client) => client.containers.list({}, options(it)),
      pull: (it, client) => client.images.pull(`pulled-${it.number}:1`, options(it)),
    };
    world.begin(`node.${verb}`, how, send[verb], (it) => {
      if (!it.fulfilled || (verb !== "pods" && verb !== "containers")) return;
      const listed = new Set(((it.outcome as { value: unknown }).value as { id: string }[]).map(({ id }) => id));
      for (const { kind, id, present, firstSeenAt } of world.truth.things.values()) {
        const allAlong = present && firstSeenAt < it.startedAt;
        if (`${kind}s` === verb && allAlong && !listed.has(id)) world.violate(`${it} does not list ${kind} ${id}`);
      }
    });
    await letPass(world, pause, since);
  },
);

export const resourceSteps: readonly Steps[] = [
  runPods,
  makeContainers,
  workWithContainer,
  workWithPod,
  dispose,
  release,
  askNode,
];
