import { once } from "node:events";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import type { PortForwardListener } from "../../../../src/resources/sessions/port-forward-listener.js";
import { eventually, rejection } from "../../streaming/support.js";
import { type Behaviour, fakePod } from "./port-forward-support.js";

function dial(listener: PortForwardListener, options: { allowHalfOpen?: boolean } = {}): Socket {
  const socket = connect({ port: listener.address.port, host: "127.0.0.1", ...options });
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => {});
}

const accepts = (listener: PortForwardListener) =>
  new Promise<boolean>((resolve) => {
    dial(listener)
      .once("connect", () => resolve(true))
      .once("error", () => resolve(false));
  });

async function listening(behaviour: Behaviour) {
  const pod = await fakePod(behaviour);
  const listener = await pod.forward(80, { retry: false }).listen();
  const failures: CriError[] = [];
  listener.on("connectionError", (error) => failures.push(error));
  return { pod, listener, failures };
}

/** Sends a response and closes at once, with RST or FIN as different runtimes do. */
const respondAndClose = (size: number, how: "reset" | "end"): Behaviour => ({
  onData: (data, error) => {
    data.once("data", () => {
      data.write("HTTP/1.0 200 OK\r\n\r\n");
      if (how === "end") data.end(Buffer.alloc(size), () => error.end());
      else data.write(Buffer.alloc(size), () => [data, error].map((stream) => stream.destroy()));
    });
  },
});

test("listens on the loopback address by default", async () => {
  const { listener } = await listening({});
  expect(listener.address.address).toBe("127.0.0.1");
  await listener.close();
});

describe("end of a listener", () => {
  test.each<[string, (end: { own: AbortController; forward: AbortController; client: (r: Error) => void }) => void]>([
    ["the listener's signal", ({ own }) => own.abort()],
    ["the port-forward's signal", ({ forward }) => forward.abort()],
    ["closing the client", ({ client }) => client(new Error("closed"))],
  ])("%s ends it, before or after it has started", async (_, end) => {
    for (const when of ["now", "early"]) {
      const [own, forward] = [new AbortController(), new AbortController()];
      const pod = await fakePod();
      const starting = pod.forward(80, { signal: forward.signal }).listen({ signal: own.signal });
      const all = { own, forward, client: pod.closeClient };
      if (when === "early") {
        end(all);
        await rejection(starting);
      } else {
        const listener = await starting;
        const failures: unknown[] = [];
        listener.on("connectionError", (error) => failures.push(error));
        const client = dial(listener);
        await eventually(() => pod.sockets.size === 1, "the connection is forwarded");
        const closed = [once(listener, "close"), once(client, "close")];
        end(all);
        await Promise.all(closed);
        expect(await accepts(listener)).toBe(false);
        expect(failures).toEqual([]);
      }
      await eventually(() => pod.sockets.size === 0, "the connection ends");
    }
  });

  test("closing the port-forward cancels a listener that is starting", async () => {
    const forward = (await fakePod()).forward();
    const starting = rejection(forward.listen());
    await forward.close();
    expect(await starting).toMatchObject({ code: "CLIENT_CLOSED" });
  });
});

describe("connections of a listener", () => {
  test.each(["reset", "end"] as const)("reports no error after a complete response: %s", async (how) => {
    for (const size of [2, 3_000_000]) {
      const { listener, failures } = await listening(respondAndClose(size, how));
      for (let round = 0; round < 5; round++) {
        const response = await new Promise<NodeJS.ReadableStream>((resolve) => {
          get({ port: listener.address.port, agent: false }, resolve);
        });
        expect((await buffer(response)).length).toBe(size);
        const plain = dial(listener);
        plain.write("GET / HTTP/1.0\r\n\r\n");
        expect((await buffer(plain)).length).toBe(size + 19);
      }
      await sleep(50);
      expect(failures).toEqual([]);
    }
  });

  test("delivers a whole response to a slow reader that continues to write", async () => {
    const { listener, failures } = await listening(respondAndClose(3_000_000, "reset"));
    const socket = dial(listener);
    socket.write("hi");
    await sleep(300);
    let count = 0;
    socket.on("data", (part: Buffer) => {
      count += part.length;
      socket.write("more");
    });
    await once(socket, "end");
    expect(count).toBe(3_000_019);
    expect(failures).toEqual([]);
  });

  test.each(["reset", "end"] as const)(
    "closes a half-open local connection after the pod has closed: %s",
    async (how) => {
      const { pod, listener } = await listening(respondAndClose(2, how));
      const socket = dial(listener, { allowHalfOpen: true }).resume();
      socket.write("hi");
      await once(socket, "end");
      await sleep(1_700);
      // A socket that no longer reads notices a reset only when it writes.
      await eventually(() => socket.destroyed || !socket.write("more"), "the local connection is closed", 500);
      await listener.close();
      await eventually(() => pod.sockets.size === 0, "the connection ends");
    },
  );

  test("reports no error and leaves nothing open when clients disconnect", async () => {
    const { pod, listener, failures } = await listening({ onData: (data) => void data.resume() });
    for (const leave of ["destroy", "resetAndDestroy"] as const) {
      const socket = dial(listener);
      socket.write("x");
      await sleep(100);
      socket[leave]();
    }
    await sleep(100);
    expect(failures).toEqual([]);
    await listener.close();
    await eventually(() => pod.sockets.size === 0, "the connection ends");
  });

  test("reports every failure as a CriError, including raw errors", async () => {
    const behaviour: Behaviour = { rpc: () => Promise.reject(new TypeError("raw")) };
    const { listener, pod, failures } = await listening(behaviour);
    await once(dial(listener).resume(), "close");
    behaviour.rpc = undefined;
    const cut = dial(listener).resume();
    await eventually(() => pod.sockets.size === 1, "the connection is forwarded");
    await sleep(50);
    for (const socket of pod.sockets) socket.destroy();
    await once(cut, "close");
    expect(failures.map((failure) => CriError.is(failure, "UNAVAILABLE"))).toEqual([true, true]);
    expect(failures[0]?.message).toMatch(/port 80 of the pod broke: raw/);
    expect(failures[0]?.cause).toBeInstanceOf(TypeError);
  });
});
