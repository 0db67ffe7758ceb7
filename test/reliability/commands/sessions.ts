import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { CriError, type ExecSession, type PortForward, type PortForwardListener } from "../../../src/index.js";
import { ContainerState } from "../../../src/proto.js";
import { commandOf } from "../container-programs.js";
import { callPlan, type Operation, unlimited } from "../operation.js";
import type { World } from "../world.js";
import { anyIndex, pauseLength, pick, type Steps, step, waitBeforeNext } from "./step.js";

/** How a session or stream ends. `leave` keeps it open until the final checks close it. */
type Ending = "finish" | "close" | "abort" | "leave";
const ending = fc.constantFrom<Ending>("finish", "finish", "close", "abort", "leave");

/**
 * Starts the operation that uses an opened session. The operation must settle soon after the session ends. It may reject only with
 * a CriError or with the reason of the session's signal.
 */
function use(world: World, opening: Operation, name: string, work: (end: () => void) => Promise<unknown>): Operation {
  const operation = world.begin(name, unlimited, async (call) => {
    try {
      return await work(() => {
        call.abortedAt ??= performance.now();
      });
    } catch (reason) {
      if (opening.controller.signal.aborted && reason === opening.controller.signal.reason) return "aborted";
      throw reason;
    }
  });
  return operation;
}

const exec = step(
  5,
  "exec",
  fc.record({
    container: anyIndex,
    transport: fc.constantFrom(undefined, undefined, "spdy" as const, "websocket" as const),
    ending,
    ms: fc.nat({ max: 60 }),
    plan: callPlan,
    pause: pauseLength,
  }),
  async (world, { container, transport, ending, ms, plan, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    // A session has its own signal, so that an abort ends only this session.
    const opening = world.begin(
      `session.exec ${owned.handle.id.slice(0, 6)}`,
      plan,
      (call, { containers }) =>
        containers.get(owned.handle.id).exec(commandOf(call.number, ms), {
          ...call.options(world.longLived.signal),
          signal: call.controller.signal,
          stdin: true,
          transport,
        }),
      (call) => {
        if (!call.outcome || !("value" in call.outcome)) return;
        const session = call.outcome.value as ExecSession;
        use(world, call, `session.use ${ending}`, (end) =>
          useExec(world, opening, owned.handle.id, session, ending, ms, end),
        );
      },
    );
    await waitBeforeNext(world, pause, since);
  },
  ({ containers }) => containers.length > 0,
);

async function useExec(
  world: World,
  opening: Operation,
  id: string,
  session: ExecSession,
  ending: Ending,
  ms: number,
  end: () => void,
) {
  const { stdin, stdout } = session;
  stdin?.on("error", () => {});
  if (ending === "leave") {
    world.opened.push({ name: "exec", close: () => session.close() });
    await session.exit.catch(expectCriError);
    return;
  }
  const output = text(stdout as NonNullable<typeof stdout>);
  output.catch(() => {});
  if (ending === "finish" && session.canHalfCloseStdin) {
    stdin?.end("abc ");
    const { exitCode } = await session.exit;
    const printed = await output;
    // A command ends with its container.
    if (exitCode === 137 && !isRunning(world, id)) return session.close();
    if (exitCode !== 7 || printed !== `abc done ${opening.number}\n`) {
      world.reportViolation(`the command of ${opening} printed ${JSON.stringify(printed)} and exited with ${exitCode}`);
    }
    await session.close();
    return;
  }
  stdin?.write("abc ");
  await sleep(ms);
  end();
  if (ending === "abort") opening.controller.abort(new Error("the session was aborted"));
  else await session.close();
  await session.exit.then(
    () => {},
    (reason: unknown) => {
      if (reason !== opening.controller.signal.reason) expectCriError(reason);
    },
  );
}

function isRunning(world: World, id: string): boolean {
  return world.runtime.containers.some((one) => one.id === id && one.state === ContainerState.CONTAINER_RUNNING);
}

function expectCriError(reason: unknown): void {
  if (!CriError.is(reason)) throw reason;
}

const forward = step(
  3,
  "forward a port",
  fc.record({
    pod: anyIndex,
    port: fc.constantFrom(80, 80, 81),
    transport: fc.constantFrom(undefined, undefined, "spdy" as const, "websocket" as const),
    listen: fc.boolean(),
    ending,
    ms: fc.nat({ max: 40 }),
    plan: callPlan,
    pause: pauseLength,
  }),
  async (world, { pod, port, transport, listen, ending, ms, plan, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    let forwarding: PortForward | undefined;
    world.begin(
      `session.forward ${listen ? "listen" : "connect"} ${port} of ${owned.handle.id.slice(0, 6)}`,
      plan,
      async (call, { pods }) => {
        forwarding = pods.get(owned.handle.id).portForward(port, {
          ...call.options(world.longLived.signal),
          signal: call.controller.signal,
          transport,
        });
        return listen ? forwarding.listen() : forwarding.connect();
      },
      (call) => {
        if (!call.outcome || !("value" in call.outcome)) return;
        const { value } = call.outcome;
        const name = `session.use ${ending}`;
        if (listen) use(world, call, name, (end) => useListener(world, value as PortForwardListener, ending, ms, end));
        else
          use(world, call, name, (end) =>
            useStream(world, call, value as Duplex, forwarding as PortForward, ending, ms, end),
          );
      },
    );
    await waitBeforeNext(world, pause, since);
  },
  ({ pods }) => pods.length > 0,
);

async function useStream(
  world: World,
  opening: Operation,
  stream: Duplex,
  forwarding: PortForward,
  ending: Ending,
  ms: number,
  end: () => void,
): Promise<void> {
  const expectOwnError = (reason: unknown) => {
    const { signal } = opening.controller;
    const own =
      (signal.aborted && reason === signal.reason) ||
      (reason as { code?: string }).code === "ERR_STREAM_PREMATURE_CLOSE";
    if (!own) expectCriError(reason);
  };
  const closed = new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", resolve);
  });
  let failure: unknown = stream.errored ?? undefined;
  stream.on("error", (error) => (failure = error));
  if (ending === "leave") world.opened.push({ name: "forwarded connection", close: () => forwarding.close() });
  else if (ending === "finish") {
    stream.end("ping");
    const reply = await text(stream).catch(expectOwnError);
    if (reply !== undefined && reply !== "ping" && !failure) {
      world.reportViolation(`${opening} forwarded "ping" and received ${JSON.stringify(reply)}`);
    }
    await forwarding.close();
  } else {
    stream.write("ping");
    await sleep(ms);
    end();
    if (ending === "abort") opening.controller.abort(new Error("the port-forward was aborted"));
    else await forwarding.close();
  }
  await closed;
  if (failure) expectOwnError(failure);
}

async function useListener(
  world: World,
  listener: PortForwardListener,
  ending: Ending,
  ms: number,
  end: () => void,
): Promise<void> {
  listener.on("connectionError", (error) => {
    if (!CriError.is(error)) world.reportViolation(`a listener reported an error that is not a CriError: ${error}`);
  });
  const closed = once(listener, "close");
  const socket = connect(listener.address.port, "127.0.0.1");
  socket.on("error", () => {});
  const socketClosed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("ping");
  socket.resume();
  if (ending === "leave") {
    world.opened.push({ name: "listener", close: () => listener.close() });
  } else {
    await sleep(ms);
    if (ending === "finish") socket.end();
    else socket.destroy();
    if (ending === "finish") await socketClosed;
    end();
    await listener.close();
  }
  await Promise.all([closed, socketClosed]);
}

const logs = step(
  2,
  "read a log",
  fc.record({
    container: anyIndex,
    follow: fc.boolean(),
    ms: fc.nat({ max: 40 }),
    abort: fc.boolean(),
    pause: pauseLength,
  }),
  async (world, { container, follow, ms, abort, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    world.begin("stream.logs", unlimited, async (call, { containers }) => {
      const stream = containers.get(owned.handle.id).logs({ follow, signal: call.controller.signal });
      const timer = setTimeout(() => {
        if (abort) call.abort();
        else void stream.close();
      }, ms);
      let lines = 0;
      try {
        for await (const { text } of stream) {
          if (text !== "hello" && text !== "short") world.reportViolation(`${call} read ${JSON.stringify(text)}`);
          lines++;
        }
      } finally {
        clearTimeout(timer);
      }
      return lines;
    });
    await waitBeforeNext(world, pause, since);
  },
  ({ containers }) => containers.length > 0,
);

/** Reads events or a view of the node for a while. Then closes it, aborts it, or leaves it open until the final checks. */
const watch = step(
  3,
  "watch the node",
  fc.record({
    kind: fc.constantFrom("events" as const, "view" as const),
    ending: fc.constantFrom<Ending>("close", "abort", "leave"),
    ms: fc.nat({ max: 150 }),
    pause: pauseLength,
  }),
  async (world, { kind, ending, ms, pause }) => {
    const since = world.operations.length;
    world.begin(`stream.${kind}`, unlimited, (call, client) => {
      const stream =
        kind === "events"
          ? client.events({ signal: call.controller.signal, initial: true })
          : client.watch({ signal: call.controller.signal });
      if (ending === "leave") world.opened.push({ name: kind, close: () => stream.close() });
      else setTimeout(() => (ending === "abort" ? call.abort() : void stream.close()), ms).unref();
      if ("closed" in stream) return stream.closed.then(() => stream.ready.catch(expectCriErrorUnless(call)));
      return (async () => {
        for await (const event of stream) if (event.type === "resync" && event.reason === "overflow") return;
      })();
    });
    await waitBeforeNext(world, pause, since);
  },
);

/** Returns a handler that also accepts the signal's reason and an AbortError, which a view that is closed early rejects with. */
function expectCriErrorUnless(operation: Operation): (reason: unknown) => void {
  return (reason) => {
    const { signal } = operation.controller;
    if (reason === signal.reason || (reason as Error).name === "AbortError") return;
    expectCriError(reason);
  };
}

export const sessionSteps: readonly Steps[] = [exec, forward, logs, watch];
