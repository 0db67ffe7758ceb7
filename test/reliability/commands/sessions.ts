import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { CriError, type ExecSession, type PortForward, type PortForwardListener } from "../../../src/index.js";
import { ContainerState } from "../../../src/proto.js";
import { commandOf } from "../container-programs.js";
import { howToCall, type Operation, patient } from "../operation.js";
import type { World } from "../world.js";
import { anyIndex, letPass, moment, pick, type Steps, step } from "./step.js";

/** How something that was opened ends. */
type Ending = "finish" | "close" | "abort" | "leave";
const ending = fc.constantFrom<Ending>("finish", "finish", "close", "abort", "leave");

/**
 * Begins the second half of an operation that opened something: using it. It must end soon after its end was brought about, and
 * break with a CriError or the reason of the signal that it was opened with.
 */
function use(world: World, opening: Operation, name: string, work: (end: () => void) => Promise<unknown>): Operation {
  const operation = world.begin(name, patient, async (it) => {
    try {
      return await work(() => {
        it.abortedAt ??= performance.now();
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
    how: howToCall,
    pause: moment,
  }),
  async (world, { container, transport, ending, ms, how, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    // A session lives on its own signal, so that it can be ended by it.
    const opening = world.begin(
      `session.exec ${owned.handle.id.slice(0, 6)}`,
      how,
      (it, { containers }) =>
        containers.get(owned.handle.id).exec(commandOf(it.number, ms), {
          ...it.options(world.longLived.signal),
          signal: it.controller.signal,
          stdin: true,
          transport,
        }),
      (it) => {
        if (!it.outcome || !("value" in it.outcome)) return;
        const session = it.outcome.value as ExecSession;
        use(world, it, `session.use ${ending}`, (end) =>
          useExec(world, opening, owned.handle.id, session, ending, ms, end),
        );
      },
    );
    await letPass(world, pause, since);
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
    await session.exit.catch(demandCriError);
    return;
  }
  const output = text(stdout as NonNullable<typeof stdout>);
  output.catch(() => {});
  if (ending === "finish" && session.canHalfCloseStdin) {
    stdin?.end("abc ");
    const { exitCode } = await session.exit;
    const said = await output;
    // A command ends with its container.
    if (exitCode === 137 && !isRunning(world, id)) return session.close();
    if (exitCode !== 7 || said !== `abc done ${opening.number}\n`) {
      world.violate(`the command of ${opening} said ${JSON.stringify(said)} and ended with ${exitCode}`);
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
      if (reason !== opening.controller.signal.reason) demandCriError(reason);
    },
  );
}

function isRunning(world: World, id: string): boolean {
  return world.runtime.containers.some((one) => one.id === id && one.state === ContainerState.CONTAINER_RUNNING);
}

function demandCriError(reason: unknown): void {
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
    how: howToCall,
    pause: moment,
  }),
  async (world, { pod, port, transport, listen, ending, ms, how, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.pods, pod);
    if (!owned) return;
    let forwarding: PortForward | undefined;
    world.begin(
      `session.forward ${listen ? "listen" : "connect"} ${port} of ${owned.handle.id.slice(0, 6)}`,
      how,
      async (it, { pods }) => {
        forwarding = pods.get(owned.handle.id).portForward(port, {
          ...it.options(world.longLived.signal),
          signal: it.controller.signal,
          transport,
        });
        return listen ? forwarding.listen() : forwarding.connect();
      },
      (it) => {
        if (!it.outcome || !("value" in it.outcome)) return;
        const { value } = it.outcome;
        const name = `session.use ${ending}`;
        if (listen) use(world, it, name, (end) => useListener(world, value as PortForwardListener, ending, ms, end));
        else
          use(world, it, name, (end) =>
            useStream(world, it, value as Duplex, forwarding as PortForward, ending, ms, end),
          );
      },
    );
    await letPass(world, pause, since);
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
  const broken = (reason: unknown) => {
    const { signal } = opening.controller;
    const own =
      (signal.aborted && reason === signal.reason) ||
      (reason as { code?: string }).code === "ERR_STREAM_PREMATURE_CLOSE";
    if (!own) demandCriError(reason);
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
    const answer = await text(stream).catch(broken);
    if (answer !== undefined && answer !== "ping" && !failure) {
      world.violate(`${opening} forwarded "ping" and got ${JSON.stringify(answer)}`);
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
  if (failure) broken(failure);
}

async function useListener(
  world: World,
  listener: PortForwardListener,
  ending: Ending,
  ms: number,
  end: () => void,
): Promise<void> {
  listener.on("connectionError", (error) => {
    if (!CriError.is(error)) world.violate(`a listener reported what is no CriError: ${error}`);
  });
  const closed = once(listener, "close");
  const socket = connect(listener.address.port, "127.0.0.1");
  socket.on("error", () => {});
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.write("ping");
  socket.resume();
  if (ending === "leave") {
    world.opened.push({ name: "listener", close: () => listener.close() });
  } else {
    await sleep(ms);
    if (ending === "finish") socket.end();
    else socket.destroy();
    if (ending === "finish") await gone;
    end();
    await listener.close();
  }
  await Promise.all([closed, gone]);
}

const logs = step(
  2,
  "read a log",
  fc.record({ container: anyIndex, follow: fc.boolean(), ms: fc.nat({ max: 40 }), abort: fc.boolean(), pause: moment }),
  async (world, { container, follow, ms, abort, pause }) => {
    const since = world.operations.length;
    const owned = pick(world.expectations.containers, container);
    if (!owned) return;
    world.begin("stream.logs", patient, async (it, { containers }) => {
      const stream = containers.get(owned.handle.id).logs({ follow, signal: it.controller.signal });
      const timer = setTimeout(() => {
        if (abort) it.abort();
        else void stream.close();
      }, ms);
      let lines = 0;
      try {
        for await (const { text } of stream) {
          if (text !== "hello" && text !== "short") world.violate(`${it} read ${JSON.stringify(text)}`);
          lines++;
        }
      } finally {
        clearTimeout(timer);
      }
      return lines;
    });
    await letPass(world, pause, since);
  },
  ({ containers }) => containers.length > 0,
);

/** Streams of events and views of the node: read for a while, then closed, aborted, or left to the end of the client. */
const watch = step(
  3,
  "watch the node",
  fc.record({
    what: fc.constantFrom("events" as const, "view" as const),
    ending: fc.constantFrom<Ending>("close", "abort", "leave"),
    ms: fc.nat({ max: 150 }),
    pause: moment,
  }),
  async (world, { what, ending, ms, pause }) => {
    const since = world.operations.length;
    world.begin(`stream.${what}`, patient, (it, client) => {
      const stream =
        what === "events"
          ? client.events({ signal: it.controller.signal, initial: true })
          : client.watch({ signal: it.controller.signal });
      if (ending === "leave") world.opened.push({ name: what, close: () => stream.close() });
      else setTimeout(() => (ending === "abort" ? it.abort() : void stream.close()), ms).unref();
      if ("closed" in stream) return stream.closed.then(() => stream.ready.catch(demandCriErrorUnless(it)));
      return (async () => {
        for await (const event of stream) if (event.type === "resync" && event.reason === "overflow") return;
      })();
    });
    await letPass(world, pause, since);
  },
);

/** A view that is closed before it was ready rejects with an AbortError. */
function demandCriErrorUnless(operation: Operation): (reason: unknown) => void {
  return (reason) => {
    const { signal } = operation.controller;
    if (reason === signal.reason || (reason as Error).name === "AbortError") return;
    demandCriError(reason);
  };
}

export const sessionSteps: readonly Steps[] = [exec, forward, logs, watch];
