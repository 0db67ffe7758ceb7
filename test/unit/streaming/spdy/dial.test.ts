import { request as requestHttp } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { CriError, InvalidInputError } from "../../../../src/errors.js";
import { dialSpdy } from "../../../../src/streaming/spdy/dial.js";
import { acceptSpdy } from "../../../../src/testing/streaming/spdy-server.js";
import { createCertificateAuthority } from "../../../support/certificates.js";
import {
  execProtocol,
  readAll,
  rejection,
  serve,
  serveHostile,
  serveSpdy,
  serveTcp,
  switching,
  token,
} from "./support.js";

const offer = { protocols: [execProtocol] };

/** Serves one answer to whatever is asked. */
function serveAnswer(answer: string): Promise<URL> {
  return serveTcp((socket) => {
    socket.once("data", () => socket.end(answer));
  });
}

/** The error of a handshake, which must never give the token away. */
async function dialError(url: URL, options: Parameters<typeof dialSpdy>[1] = offer): Promise<CriError> {
  const error = await rejection(dialSpdy(url, options));
  expect(inspect(error, { depth: 10 })).not.toContain(token);
  expect(error).toBeInstanceOf(CriError);
  return error as CriError;
}

describe("the request", () => {
  test("is a POST with everything that servers look at", async () => {
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

  test("what comes in one go with the answer is not lost", async () => {
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

describe("refusals", () => {
  test("404: the token", async () => {
    const error = await dialError(await serveAnswer("HTTP/1.1 404 Not Found\r\n\r\n404 page not found\nmore"));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(error.details).toMatch(/token has expired or was used before \(HTTP 404\): 404 page not found$/);
  });

  test("403: the protocols", async () => {
    const accepted = "X-Accepted-Stream-Protocol-Versions: v5\r\nX-Accepted-Stream-Protocol-Versions: v6, v7\r\n";
    const error = await dialError(await serveAnswer(`HTTP/1.1 403 Forbidden\r\n${accepted}\r\n`));
    expect(error).toMatchObject({ code: "UNIMPLEMENTED" });
    expect(error.details).toContain("only v5, v6, v7");
  });

  test("403 of the server that is at hand for tests", async () => {
    const error = await dialError(await serveSpdy("portforward.k8s.io", () => {}));
    expect(error).toMatchObject({ code: "UNIMPLEMENTED", details: expect.stringContaining("only portforward.k8s.io") });
  });

  test.each([
    [200, "UNIMPLEMENTED"],
    [302, "UNIMPLEMENTED"],
    [400, "UNIMPLEMENTED"],
    [401, "UNAUTHENTICATED"],
    [403, "UNIMPLEMENTED"],
    [405, "UNIMPLEMENTED"],
    [500, "UNAVAILABLE"],
    [501, "UNIMPLEMENTED"],
    [503, "UNAVAILABLE"],
  ])("%i", async (status, code) => {
    const location = `Location: http://127.0.0.1:1/exec/${token}\r\n`;
    const error = await dialError(
      await serveAnswer(`HTTP/1.1 ${status} Whatever\r\n${location}\r\nsee /exec/${token} please`),
    );
    expect(error).toMatchObject({ code, details: expect.stringContaining(`(HTTP ${status})`) });
  });

  test("a body without an end is not waited for", async () => {
    const url = await serveTcp((socket) => {
      socket.write("HTTP/1.1 500 Oops\r\n\r\n");
      const timer = setInterval(() => socket.write("x".repeat(100)), 1);
      socket.on("close", () => clearInterval(timer));
    });
    const error = await dialError(url);
    expect(error.details.length).toBeLessThan(400);
  });

  test("a body that never comes is waited for as long as the handshake", async () => {
    const url = await serveTcp(
      (socket) => void socket.resume().write("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\n"),
    );
    expect((await dialError(url, { ...offer, handshakeTimeoutMs: 100 })).code).toBe("DEADLINE_EXCEEDED");
  });

  test.each([
    ["another protocol", switching("v9.channel.k8s.io")],
    ["no protocol", "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"],
    ["WebSocket", "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ])("101, but %s", async (_name, answer) => {
    expect((await dialError(await serveAnswer(answer))).code).toBe("UNIMPLEMENTED");
  });
});

describe("servers that do not answer", () => {
  test("nobody listens", async () => {
    const url = await serveTcp(() => {});
    const closed = new URL(url);
    closed.port = "1";
    expect(await dialError(closed)).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
  });

  test.each([
    ["at once", ""],
    ["behind half an answer", "HTTP/1.1 101 Swi"],
    ["behind garbage", "\u0000\u0001\u0002 SSH-2.0\r\n\r\n"],
  ])("it hangs up %s", async (_name, answer) => {
    expect((await dialError(await serveAnswer(answer))).code).toBe("UNAVAILABLE");
  });

  test.each([
    ["nothing", ""],
    ["half an answer", "HTTP/1.1 101 Switching"],
    ["101 without an upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["100", "HTTP/1.1 100 Continue\r\n\r\n"],
  ])("it says %s, and then nothing", async (_name, answer) => {
    const url = await serveTcp((socket) => void socket.resume().write(answer));
    const error = await dialError(url, { ...offer, handshakeTimeoutMs: 100 });
    expect(["DEADLINE_EXCEEDED", "UNAVAILABLE", "UNIMPLEMENTED"]).toContain(error.code);
  });

  test("an answer byte by byte is an answer", async () => {
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
  test("aborted before: nothing is sent", async () => {
    const reason = { any: "thing" };
    const url = await serveTcp(() => expect.unreachable());
    expect(await rejection(dialSpdy(url, { ...offer, signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test("aborted during the handshake", async () => {
    const controller = new AbortController();
    const url = await serveTcp(() => controller.abort("enough"));
    expect(await rejection(dialSpdy(url, { ...offer, signal: controller.signal }))).toBe("enough");
  });

  test("aborted while something else is prepared", async () => {
    const controller = new AbortController();
    const url = await serveHostile(execProtocol, () => {});
    const dialling = dialSpdy(url, { ...offer, signal: controller.signal }, async ({ connection }) => {
      setTimeout(() => controller.abort("enough"), 10);
      await connection.open({}).accepted;
    });
    expect(await rejection(dialling)).toBe("enough");
  });

  test("aborted later: breaks the connection, with the same reason", async () => {
    const controller = new AbortController();
    const url = await serveSpdy(execProtocol, () => {});
    const { connection } = await dialSpdy(url, { ...offer, signal: controller.signal });
    const reading = rejection(readAll(connection.open({})));
    controller.abort("enough");
    expect(await reading).toMatchObject({ code: "CANCELLED", cause: "enough" });
    expect(connection.failure).toBe("enough");
  });

  test("has nothing left to follow once the connection is over", async () => {
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

describe("TLS", async () => {
  const authority = await createCertificateAuthority();
  const server = await authority.issue({ names: ["127.0.0.1", "runtime.example"] });
  const open = async (certificate = server) => {
    return serve((request, socket, head) => {
      acceptSpdy(request, socket, [execProtocol], { head, onStream: (stream) => stream.end("secret answer") });
    }, certificate);
  };

  test.each([
    ["text", authority.cert],
    ["bytes", new TextEncoder().encode(authority.cert)],
  ])("with the authority as %s", async (_name, ca) => {
    const { connection } = await dialSpdy(await open(), { ...offer, tls: { ca } });
    expect((await readAll(connection.open({}))).toString()).toBe("secret answer");
    connection.destroy(new Error("done"));
  });

  test("an unknown authority is refused, even if the process was told not to care", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockReturnValue();
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const error = await dialError(await open());
      expect(error).toMatchObject({ code: "UNAVAILABLE", details: expect.stringMatching(/set tls\.ca/) });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      warning.mockRestore();
    }
  });

  test("a certificate for another name is refused, unless that name is asked for", async () => {
    const other = await authority.issue({ names: ["other.example"] });
    const url = await open(other);
    const tls = { ca: authority.cert };
    expect((await dialError(url, { ...offer, tls })).details).toContain("tls.serverName");
    expect((await dialError(url, { ...offer, tls: { ...tls, serverName: "third.example" } })).code).toBe("UNAVAILABLE");
    const { connection } = await dialSpdy(url, { ...offer, tls: { ...tls, serverName: "other.example" } });
    connection.destroy(new Error("done"));
  });

  test("an address as the name to expect", async () => {
    const { connection } = await dialSpdy(await open(), {
      ...offer,
      tls: { ca: authority.cert, serverName: "127.0.0.1" },
    });
    connection.destroy(new Error("done"));
    const error = await dialError(await open(), { ...offer, tls: { ca: authority.cert, serverName: "127.0.0.2" } });
    expect(error.details).toContain("tls.serverName");
  });

  test("credentials that cannot be read are named, not shown", async () => {
    const error = await dialError(await open(), { ...offer, tls: { cert: "s3cret", key: "s3cret" } });
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(inspect(error)).not.toContain("s3cret");
  });

  test("a server without TLS", async () => {
    const plain = await serveAnswer("HTTP/1.1 400 X\r\n\r\n");
    plain.protocol = "https:";
    expect((await dialError(plain)).code).toBe("UNAVAILABLE");
  });
});

test("another scheme", async () => {
  expect(await dialError(new URL(`ftp://127.0.0.1/exec/${token}`))).toBeInstanceOf(InvalidInputError);
});

test("the server for tests sends other requests away", async () => {
  const url = await serveSpdy(execProtocol, () => {});
  const status = await new Promise((resolve) => {
    requestHttp(url, { headers: { Connection: "Upgrade", Upgrade: "SPDY/3.1" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(400);
});
