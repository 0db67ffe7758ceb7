import { getEventListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { CriError } from "../../src/index.js";
import { PodSandboxState } from "../../src/proto.js";
import { checkNoEffect, marginMs, overtimeMs } from "./invariants.js";
import { type Operation, unlimited } from "./operation.js";
import { recordOwned } from "./ownership.js";
import { connectOptions, type World } from "./world.js";

/**
 * Ends a sequence: restores the runtime, disposes of all owned handles, and expects that only objects remain that the client
 * reported as uncertain.
 */
export async function runFinalChecks(world: World): Promise<void> {
  await waitForLimits(world);
  await world.restore();
  await waitUntilReady(world);
  await finish(
    world,
    "after the runtime was restored",
    world.operations.filter(({ name }) => !isEndless(name)),
  );
  await closeOpened(world);
  await checkIdle(world);
  await checkLeftovers(world, "container");
  await disposeOfOwned(world);
  await checkLeftovers(world, "pod");
  await removeRemaining(world);
  await closeClient(world);
}

/** Returns whether an operation runs until its object, stream or client ends. */
function isEndless(name: string): boolean {
  return /^(containers\.wait|stream\.|session\.use)/.test(name);
}

/** Expects that operations with a time limit settle before the runtime is restored, even if it is down or hangs. */
async function waitForLimits(world: World): Promise<void> {
  const limited = world.operations.filter((one) => one.dueAt < Infinity && overtimeMs(one, world) < 3_000);
  const last = Math.max(0, ...limited.map((one) => one.dueAt + overtimeMs(one, world)));
  await world.settle(limited, last - performance.now() + marginMs);
  for (const one of limited) if (!one.outcome) world.reportViolation(`${one} is still running after its limit`);
  world.check();
}

async function finish(world: World, phase: string, operations: readonly Operation[]): Promise<void> {
  await world.settle(operations, 3 * marginMs);
  world.check();
  for (const operation of operations) {
    if (!operation.outcome) world.reportViolation(`${phase}: ${operation} does not settle on a working runtime`);
  }
  world.check();
}

/** Waits until the client has reconnected. A client that has lost its connection backs off before it reconnects. */
async function waitUntilReady(world: World): Promise<void> {
  const until = performance.now() + marginMs;
  for (;;) {
    const reachable = await world.client.version({ timeoutMs: marginMs }).then(
      () => true,
      () => false,
    );
    if (reachable) return;
    if (performance.now() > until) throw new Error(`the client does not reconnect\n\n${world.history}`);
    await pause(20);
  }
}

async function closeOpened(world: World): Promise<void> {
  const operations = world.opened.map(({ name, close }) => world.begin(`close ${name}`, unlimited, close));
  for (const operation of world.operations) if (operation.name.startsWith("containers.wait")) operation.abort();
  await finish(world, "after all sessions and streams were closed", [...operations, ...world.operations]);
}

/** Expects no listeners, subscriptions and calls while no operation is running. */
async function checkIdle(world: World): Promise<void> {
  await checkListeners(world);
  const { runtime } = world;
  for (const until = performance.now() + marginMs; runtime.eventSubscribers > 0 && performance.now() < until; ) {
    await pause(5);
  }
  if (runtime.eventSubscribers > 0) world.reportViolation(`${runtime.eventSubscribers} subscriptions are left`);
  for (const until = performance.now() + marginMs; ; ) {
    const before = runtime.calls.length;
    await pause(3 * connectOptions.watch.pollMs);
    const more = runtime.calls.slice(before).map(({ rpc }) => rpc);
    // A call that the client sent earlier may still arrive.
    if (more.length === 0) break;
    if (performance.now() > until)
      return world.reportViolation(`no operation is running, but the runtime received ${more.join(", ")}`);
  }
  world.check();
}

/** Expects that no listeners remain. The client removes them when the connection closes, shortly after it reports the exit. */
async function checkListeners(world: World): Promise<void> {
  for (const until = performance.now() + marginMs; listenersLeft(world).length > 0 && performance.now() < until; ) {
    await pause(5);
  }
  for (const left of listenersLeft(world)) world.reportViolation(left);
}

function listenersLeft(world: World): string[] {
  const { longLived, operations } = world;
  const signals = new Map(operations.map((one) => [one.controller.signal, `the signal of ${one}`]));
  return [...signals.set(longLived.signal, "the long-lived signal")].flatMap(([signal, name]) => {
    const count = signal.aborted ? 0 : getEventListeners(signal, "abort").length;
    return count > 0 ? [`${count} listeners are left on ${name}`] : [];
  });
}

/**
 * Disposes of all owned handles. On a working runtime, this succeeds or rejects with CLIENT_CLOSED if the handle's client was
 * closed.
 */
async function disposeOfOwned(world: World): Promise<void> {
  const operations: Operation[] = [];
  for (const owned of world.expectations.owned) {
    const { kind, handle, released, operation } = owned;
    if (released || owned.disposal) continue;
    const closed = operation.client !== world.client;
    const disposal = world.begin(
      `${kind}.dispose ${handle.id.slice(0, 6)}`,
      unlimited,
      () => handle.dispose(),
      (call) => {
        if (call.rejected && !(closed && CriError.is(call.reason, "CLIENT_CLOSED")))
          world.reportViolation(`${call} failed on a working runtime`);
      },
    );
    owned.disposal = disposal;
    world.expectations.recordRemoval(handle.id, disposal);
    operations.push(disposal);
  }
  await finish(world, "disposal", operations);
}

/**
 * Expects that every remaining object was released, or belongs to a failed creation that reported the uncertainty. The next
 * creation must find such an object.
 */
async function checkLeftovers(world: World, kind: "pod" | "container"): Promise<void> {
  const { truth, expectations } = world;
  truth.update();
  for (const operation of world.operations) checkNoEffect(operation, world);
  const left = [...truth.objects.values()].filter((object) => object.present && object.kind === kind);
  for (const { id, creator } of left) {
    const owned = expectations.owned.find(({ handle }) => handle.id === id);
    if (owned) {
      const mayRemain = owned.released || (owned.disposal?.rejected ?? kind === "container");
      if (!mayRemain) world.reportViolation(`${kind} ${id} of ${owned.operation} is left after its disposal`);
    } else if (!creator?.rejected) {
      world.reportViolation(`${kind} ${id} is left without an owner: ${creator} ${creator?.describeOutcome()}`);
    } else if (creator.repeat) await expectNextCreationFinds(world, creator, kind, id);
  }
  world.check();
}

/**
 * Expects that the next creation with the same identity finds the object that a failed creation left, and that disposing of its
 * handle removes the object.
 */
async function expectNextCreationFinds(
  world: World,
  creator: Operation,
  kind: "pod" | "container",
  id: string,
): Promise<void> {
  const { podId } = world.truth.objects.get(id) ?? {};
  const pod = world.runtime.pods.find((one) => one.id === (podId ?? id));
  if (!pod || (kind === "container" && pod.state !== PodSandboxState.SANDBOX_READY)) return;
  world.statistics.count("uncertain, found by the next creation", kind);
  const repeated = world.begin(`repeat: ${creator}`, unlimited, (call, client) =>
    (creator.repeat as NonNullable<typeof creator.repeat>)(client, call.options(world.longLived.signal)),
  );
  await finish(world, "next creation", [repeated]);
  if (repeated.rejected)
    world.reportViolation(`${kind} ${id} of ${creator} is left, and the next creation fails: ${repeated.reason}`);
  recordOwned(world, repeated, kind, false);
  const owned = world.expectations.owned.at(-1);
  if (repeated.rejected || !owned) return;
  const disposal = world.begin("repeat.dispose", unlimited, () => owned.handle.dispose());
  owned.disposal = disposal;
  world.expectations.recordRemoval(owned.handle.id, disposal);
  await finish(world, "next creation", [disposal]);
  if (disposal.rejected || world.truth.exists(id))
    world.reportViolation(`${kind} ${id} of ${creator} is left after the next creation was disposed of`);
}

/** Expects that all remaining objects are listed and can be removed. */
async function removeRemaining(world: World): Promise<void> {
  const { client } = world;
  const listed = [...(await client.pods.list()).map(({ id }) => client.pods.get(id))];
  await Promise.all(listed.map((pod) => pod.remove()));
  if (world.runtime.pods.length + world.runtime.containers.length > 0)
    world.reportViolation("the runtime has pods or containers that no list contains");
  world.check();
}

/** Closes the client. Expects that no operation, connection, subscription or listener remains. */
async function closeClient(world: World): Promise<void> {
  for (const operation of world.operations) if (!operation.outcome) operation.closedAt ??= performance.now();
  await world.client.close();
  await finish(world, "after the client was closed", world.operations);
  const { runtime } = world;
  for (const until = performance.now() + marginMs; runtime.connectionCount > 0 && performance.now() < until; ) {
    await pause(5);
  }
  if (runtime.connectionCount > 0) world.reportViolation(`${runtime.connectionCount} connections are left`);
  await checkListeners(world);
  world.check();
}
