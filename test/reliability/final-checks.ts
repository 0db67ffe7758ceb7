import { getEventListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { CriError } from "../../src/index.js";
import { PodSandboxState } from "../../src/proto.js";
import { checkNoEffect, marginMs, overtimeMs } from "./invariants.js";
import { type Operation, unlimited } from "./operation.js";
import { recordOwned } from "./ownership.js";
import { connectOptions, type World } from "./world.js";

/**
 * Ends a sequence: restores the runtime, disposes of everything owned, and checks that only objects are left that the client
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
  await checkQuiet(world);
  await explainLeftovers(world, "container");
  await disposeOfOwned(world);
  await explainLeftovers(world, "pod");
  await removeRemaining(world);
  await closeClient(world);
}

/** Returns whether an operation ends only with its object, stream or client. */
function isEndless(name: string): boolean {
  return /^(containers\.wait|stream\.|session\.use)/.test(name);
}

/** Operations with a limit must end without help, even if the runtime is down or hangs. */
async function waitForLimits(world: World): Promise<void> {
  const limited = world.operations.filter((one) => one.dueAt < Infinity && overtimeMs(one, world) < 3_000);
  const last = Math.max(0, ...limited.map((one) => one.dueAt + overtimeMs(one, world)));
  await world.settle(limited, last - performance.now() + marginMs);
  for (const one of limited) if (!one.outcome) world.violate(`${one} is still running after its limit`);
  world.check();
}

async function finish(world: World, phase: string, operations: readonly Operation[]): Promise<void> {
  await world.settle(operations, 3 * marginMs);
  world.check();
  for (const operation of operations) {
    if (!operation.outcome) world.violate(`${phase}: ${operation} does not settle on a working runtime`);
  }
  world.check();
}

/** A client that has lost its connection backs off briefly before it reconnects. */
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

/** Without running operations, there must be no listeners, subscriptions and calls. */
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
    // A call that was already sent may still arrive.
    if (more.length === 0) break;
    if (performance.now() > until)
      return world.violate(`no operation is running, but the runtime received ${more.join(", ")}`);
  }
  world.check();
}

/** The client removes its listeners only when the connection has closed, shortly after it reports the exit. */
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

/** Disposal on a working runtime must succeed, or reject with CLIENT_CLOSED if the client of the handle was closed. */
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
      (it) => {
        if (it.rejected && !(closed && CriError.is(it.reason, "CLIENT_CLOSED")))
          world.violate(`${it} failed on a working runtime`);
      },
    );
    owned.disposal = disposal;
    world.expectations.removal(handle.id, disposal);
    operations.push(disposal);
  }
  await finish(world, "disposal", operations);
}

/**
 * Every object that is left must be released, or belong to a failed creation that reported the uncertainty. The next creation
 * must then find it.
 */
async function explainLeftovers(world: World, kind: "pod" | "container"): Promise<void> {
  const { truth, expectations } = world;
  truth.update();
  for (const operation of world.operations) checkNoEffect(operation, world);
  const left = [...truth.objects.values()].filter((object) => object.present && object.kind === kind);
  for (const { id, creator } of left) {
    const owned = expectations.owned.find(({ handle }) => handle.id === id);
    if (owned) {
      const mayRemain = owned.released || (owned.disposal?.rejected ?? kind === "container");
      if (!mayRemain) world.violate(`${kind} ${id} of ${owned.operation} is left after its disposal`);
    } else if (!creator?.rejected) {
      world.violate(`${kind} ${id} is left without an owner: ${creator} ${creator?.describeOutcome()}`);
    } else if (creator.repeat) await expectNextCreationFinds(world, creator, kind, id);
  }
  world.check();
}

/**
 * The next creation with the same identity must find the object that a failed one left. Disposing of its handle must remove the
 * object.
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
  const again = world.begin(`repeat: ${creator}`, unlimited, (it, client) =>
    (creator.repeat as NonNullable<typeof creator.repeat>)(client, it.options(world.longLived.signal)),
  );
  await finish(world, "next creation", [again]);
  if (again.rejected)
    world.violate(`${kind} ${id} of ${creator} is left, and the next creation fails: ${again.reason}`);
  recordOwned(world, again, kind, false);
  const owned = world.expectations.owned.at(-1);
  if (again.rejected || !owned) return;
  const disposal = world.begin("repeat.dispose", unlimited, () => owned.handle.dispose());
  owned.disposal = disposal;
  world.expectations.removal(owned.handle.id, disposal);
  await finish(world, "next creation", [disposal]);
  if (disposal.rejected || world.truth.exists(id))
    world.violate(`${kind} ${id} of ${creator} is left after the next creation was disposed of`);
}

/** Every object that is left must be listed, and removable. */
async function removeRemaining(world: World): Promise<void> {
  const { client } = world;
  const listed = [...(await client.pods.list()).map(({ id }) => client.pods.get(id))];
  await Promise.all(listed.map((pod) => pod.remove()));
  if (world.runtime.pods.length + world.runtime.containers.length > 0)
    world.violate("the runtime has pods or containers that no list contains");
  world.check();
}

/** After the client is closed, there must be no running operation, connection, subscription or listener. */
async function closeClient(world: World): Promise<void> {
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
