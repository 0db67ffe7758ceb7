import { getEventListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { CriError } from "../../src/index.js";
import { PodSandboxState } from "../../src/proto.js";
import { checkDenial, marginMs, overtimeMs } from "./invariants.js";
import { type Operation, patient } from "./operation.js";
import { noteOwned } from "./ownership.js";
import { connectOptions, type World } from "./world.js";

/**
 * The end of a sequence: the runtime is a good one again, everything that is owned is disposed of, and then nothing may be left
 * but what the client had said may be.
 */
export async function end(world: World): Promise<void> {
  await waitForLimits(world);
  await world.heal();
  await waitUntilReady(world);
  await finish(
    world,
    "what was under way",
    world.operations.filter(({ name }) => !isEndless(name)),
  );
  await closeOpened(world);
  await checkQuiet(world);
  await explainLeftovers(world, "container");
  await disposeOfOwned(world);
  await explainLeftovers(world, "pod");
  await removeTheRest(world);
  await endClient(world);
}

/** What ends only when its object, its stream or its client does. */
function isEndless(name: string): boolean {
  return /^(containers\.wait|stream\.|session\.use)/.test(name);
}

/** What has a limit ends without any help, on a runtime that is down or hangs as well. */
async function waitForLimits(world: World): Promise<void> {
  const limited = world.operations.filter((one) => one.dueAt < Infinity && overtimeMs(one, world) < 3_000);
  const last = Math.max(0, ...limited.map((one) => one.dueAt + overtimeMs(one, world)));
  await world.settle(limited, last - performance.now() + marginMs);
  for (const one of limited) if (!one.outcome) world.violate(`${one} is under way though its time is up`);
  world.check();
}

async function finish(world: World, what: string, operations: readonly Operation[]): Promise<void> {
  await world.settle(operations, 3 * marginMs);
  world.check();
  for (const operation of operations) {
    if (!operation.outcome) world.violate(`${what}: ${operation} does not settle on a runtime that works`);
  }
  world.check();
}

/** A client that has seen the runtime go knocks again after a moment. */
async function waitUntilReady(world: World): Promise<void> {
  const until = performance.now() + marginMs;
  for (;;) {
    const answered = await world.client.version({ timeoutMs: marginMs }).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (performance.now() > until) throw new Error(`the runtime does not come back\n\n${world.history}`);
    await pause(20);
  }
}

async function closeOpened(world: World): Promise<void> {
  const operations = world.opened.map(({ name, close }) => world.begin(`close ${name}`, patient, close));
  for (const operation of world.operations) if (operation.name.startsWith("containers.wait")) operation.abort();
  await finish(world, "after all was closed", [...operations, ...world.operations]);
}

/** When nothing is under way nothing is listened to, and nobody asks the runtime for anything. */
async function checkQuiet(world: World): Promise<void> {
  await checkListeners(world);
  const { runtime } = world;
  for (const until = performance.now() + marginMs; runtime.eventSubscribers > 0 && performance.now() < until; ) {
    await pause(5);
  }
  if (runtime.eventSubscribers > 0) world.violate(`${runtime.eventSubscribers} subscriptions are left`);
  for (const until = performance.now() + marginMs; ; ) {
    const before = runtime.calls.length;
    await pause(3 * connectOptions.watch.pollMs);
    const more = runtime.calls.slice(before).map(({ rpc }) => rpc);
    // What was on its way may arrive yet.
    if (more.length === 0) break;
    if (performance.now() > until) return world.violate(`nothing is under way, and ${more.join(", ")} arrived`);
  }
  world.check();
}

/** A session's exit is told before its connection is closed, and heard of no more. */
async function checkListeners(world: World): Promise<void> {
  for (const until = performance.now() + marginMs; listenersLeft(world).length > 0 && performance.now() < until; ) {
    await pause(5);
  }
  for (const left of listenersLeft(world)) world.violate(left);
}

function listenersLeft(world: World): string[] {
  const { longLived, operations } = world;
  const signals = new Map(operations.map((one) => [one.controller.signal, `the signal of ${one}`]));
  return [...signals.set(longLived.signal, "the long-lived signal")].flatMap(([signal, name]) => {
    const count = signal.aborted ? 0 : getEventListeners(signal, "abort").length;
    return count > 0 ? [`${count} listeners are left on ${name}`] : [];
  });
}

/** Disposal on a runtime that works must succeed; that of a handle whose client was closed says so. */
async function disposeOfOwned(world: World): Promise<void> {
  const operations: Operation[] = [];
  for (const owned of world.expectations.owned) {
    const { kind, handle, released, operation } = owned;
    if (released || owned.disposal) continue;
    const closed = operation.client !== world.client;
    const disposal = world.begin(
      `${kind}.dispose ${handle.id.slice(0, 6)}`,
      patient,
      () => handle[Symbol.asyncDispose](),
      (it) => {
        if (it.rejected && !(closed && CriError.is(it.reason, "CLIENT_CLOSED")))
          world.violate(`${it} failed on a runtime that works`);
      },
    );
    owned.disposal = disposal;
    world.expectations.removal(handle.id, disposal);
    operations.push(disposal);
  }
  await finish(world, "disposal", operations);
}

/** Whatever is left must be what the client was told to leave, or could not know of and said so; and must be found again. */
async function explainLeftovers(world: World, kind: "pod" | "container"): Promise<void> {
  const { truth, expectations } = world;
  truth.look();
  for (const operation of world.operations) checkDenial(operation, world);
  const left = [...truth.things.values()].filter((thing) => thing.present && thing.kind === kind);
  for (const { id, maker } of left) {
    const owned = expectations.owned.find(({ handle }) => handle.id === id);
    if (owned) {
      const letGo = owned.released || (owned.disposal?.rejected ?? kind === "container");
      if (!letGo) world.violate(`${kind} ${id} of ${owned.operation} is left after its disposal`);
    } else if (!maker?.rejected) {
      world.violate(`${kind} ${id} is left, and nobody owns it: ${maker} ${maker?.describeOutcome()}`);
    } else if (maker.again) await findAgain(world, maker, kind, id);
  }
  world.check();
}

/** What is left of a creation that was given up is found by the next one of its identity, and goes with that. */
async function findAgain(world: World, maker: Operation, kind: "pod" | "container", id: string): Promise<void> {
  const { podId } = world.truth.things.get(id) ?? {};
  const pod = world.runtime.pods.find((one) => one.id === (podId ?? id));
  if (!pod || (kind === "container" && pod.state !== PodSandboxState.SANDBOX_READY)) return;
  world.statistics.count("in doubt, found by the next creation", kind);
  const again = world.begin(`again: ${maker}`, patient, (it, client) =>
    (maker.again as NonNullable<typeof maker.again>)(client, it.options(world.longLived.signal)),
  );
  await finish(world, "in doubt", [again]);
  if (again.rejected)
    world.violate(`${kind} ${id} of ${maker} is left in doubt, and the next creation fails: ${again.reason}`);
  noteOwned(world, again, kind, false);
  const owned = world.expectations.owned.at(-1);
  if (again.rejected || !owned) return;
  const disposal = world.begin("again.dispose", patient, () => owned.handle[Symbol.asyncDispose]());
  owned.disposal = disposal;
  world.expectations.removal(owned.handle.id, disposal);
  await finish(world, "in doubt", [disposal]);
  if (disposal.rejected || world.truth.has(id))
    world.violate(`${kind} ${id} of ${maker} is left after the next one was disposed of`);
}

/** Nothing is beyond reach: a list shows what is left, and it can be removed. */
async function removeTheRest(world: World): Promise<void> {
  const { client } = world;
  const listed = [...(await client.pods.list()).map(({ id }) => client.pods.get(id))];
  await Promise.all(listed.map((pod) => pod.remove()));
  if (world.runtime.pods.length + world.runtime.containers.length > 0)
    world.violate("pods or containers are left that no list shows");
  world.check();
}

/** After the client is closed no call is under way, and no connection, subscription or listener is left. */
async function endClient(world: World): Promise<void> {
  for (const operation of world.operations) if (!operation.outcome) operation.closedAt ??= performance.now();
  await world.client.close();
  await finish(world, "after the client was closed", world.operations);
  const { runtime } = world;
  for (const until = performance.now() + marginMs; runtime.connectionCount > 0 && performance.now() < until; ) {
    await pause(5);
  }
  if (runtime.connectionCount > 0) world.violate(`${runtime.connectionCount} connections are left`);
  await checkListeners(world);
  world.check();
}
