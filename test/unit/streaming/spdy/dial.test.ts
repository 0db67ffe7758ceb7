import { request as requestHttp } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CriError, InvalidInputError } from "../../../../src/errors.js";
import { dialSpdy } from "../../../../src/streaming/spdy/dial.js";
import { acceptSpdy } from "../../../../src/testing/streaming/spdy-server.js";
import { readAll, rejection, serve, serveAnswer, serveTcp, token } from "../support.js";
import { execProtocol, serveHostile, serveSpdy, switching } from "./support.js";

const offer = { protocols: [execProtocol] };

/** Returns the error of a handshake, which must not contain the token. */
async function dialError(url: URL, options: Parameters<typeof dialSpdy>[1] = offer): Promise<CriError> {
  const error = await rejection(dialSpdy(url, options));
  expect(inspect(error, { depth: 10 })).not.toContain(token);
  expect(error).toBeInstanceOf(CriError);
  return error as CriError;
}

describe("the request", () => {
  test("is a POST with all headers that servers check", async () => {
    let seen: unknown;
    const url = await serve((request, socket, head) => {
      const { method, url: path, headers, headersDistinct } = request;
      seen = {
        method,
        path,
        connection: headers.connection,
        upgrade: headers.upgrade,
        length: headers["content-length"],
      };
      seen = { ...(seen as object), protocols: headersDistinct["x-stream-protocol-version"] };
      acceptSpdy(request, socket, [execProtocol], { head, onStream() {} });
    });
    const { connection, protocol } = await dialSpdy(url, { protocols: ["v9.channel.k8s.io", execProtocol] });
    connection.destroy(new Error("done"));
    expect(protocol).toBe(execProtocol);
    expect(seen).toEqual({
      method: "POST",
      path: `/exec/${token}`,
      connection: "Upgrade",
      upgrade: "SPDY/3.1",
      length: "0",
      protocols: ["v9.channel.k8s.io", execProtocol],
    });
  });

  test("keeps data that arrives together with the response", async () => {
    const ping = Buffer.from("80030006000000040000000280030006", "hex");
    let answered: Promise<Buffer> | undefined;
    const url = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.concat([Buffer.from(switching(execProtocol)), ping.subarray(0, 12)]));
        answered = new Promise((resolve) => socket.once("data", resolve));
      });
    });
    const { connection } = await dialSpdy(url, offer);
    await sleep(0);
    expect((await answered)?.toString("hex")).toBe("800300060000000400000002");
    connection.destroy(new Error("done"));
  });
});

describe("responses", () => {
  test("403 of the test server", async () => {
    const error = await dialError(await serveSpdy("portforward.k8s.io", () => {}));
    expect(error).toMatchObject({
      code: "UNIMPLEMENTED",
      details: expect.stringContaining("it supports only portforward.k8s.io"),
    });
  });

  test.each([
    ["another protocol", switching("v9.channel.k8s.io")],
    ["no protocol", "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"],
    ["WebSocket", "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ])("101, but %s", async (_name, answer) => {
    const url = await serveAnswer(answer);
    expect(await dialError(url)).toMatchObject({
      code: "UNIMPLEMENTED",
      attempts: 1,
      details: expect.stringContaining(url.host),
    });
  });

  test("101 without an upgrade fails", async () => {
    const url = await serveTcp((socket) => void socket.resume().write("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const error = await dialError(url, { ...offer, handshakeTimeoutMs: 100 });
    expect(["DEADLINE_EXCEEDED", "UNAVAILABLE", "UNIMPLEMENTED"]).toContain(error.code);
  });

  test("a response that arrives byte by byte", async () => {
    const url = await serveTcp(async (socket) => {
      socket.resume();
      for (const byte of switching(execProtocol)) {
        socket.write(byte);
        await sleep(0);
      }
    });
    const { connection } = await dialSpdy(url, offer);
    connection.destroy(new Error("done"));
  });
});

describe("the signal", () => {
  test("aborted during `prepare` rejects", async () => {
    const controller = new AbortController();
    const url = await serveHostile(execProtocol, () => {});
    const dialling = dialSpdy(url, { ...offer, signal: controller.signal }, async ({ connection }) => {
      setTimeout(() => controller.abort("enough"), 10);
      await connection.open({}).accepted;
    });
    expect(await rejection(dialling)).toBe("enough");
  });

  test("aborted later breaks the connection with its reason", async () => {
    const controller = new AbortController();
    const url = await serveSpdy(execProtocol, () => {});
    const { connection } = await dialSpdy(url, { ...offer, signal: controller.signal });
    const reading = rejection(readAll(connection.open({})));
    controller.abort("enough");
    expect(await reading).toMatchObject({ code: "CANCELLED", cause: "enough" });
    expect(connection.failure).toBe("enough");
  });

  test("keeps no listener after the connection has ended", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    };
    const { connection } = await dialSpdy(await serveSpdy(execProtocol, () => {}), { ...offer, signal });
    expect(listeners).toBe(1);
    connection.destroy(new Error("done"));
    await connection.closed;
    await dialSpdy(await serveAnswer("HTTP/1.1 404 X\r\n\r\n"), { ...offer, signal }).catch(() => {});
    expect(listeners).toBe(0);
  });
});

test("rejects another scheme", async () => {
  expect(await dialError(new URL(`ftp://127.0.0.1/exec/${token}`))).toBeInstanceOf(InvalidInputError);
});

test("the test server rejects other requests", async () => {
  const url = await serveSpdy(execProtocol, () => {});
  const status = await new Promise((resolve) => {
    requestHttp(url, { headers: { Connection: "Upgrade", Upgrade: "SPDY/3.1" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(400);
});
