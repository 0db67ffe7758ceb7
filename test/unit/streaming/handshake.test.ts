import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../src/errors.js";
import type { DialOptions } from "../../../src/streaming/transport.js";
import { protocols, rejection, serveAnswer, serveTcp, token } from "./support.js";

describe.each(protocols)("over %s", (protocol, open) => {
  /** Returns the error of a handshake, which must not contain the token. */
  async function refusal(url: URL, options?: DialOptions): Promise<CriError> {
    const error = (await rejection(open(url, options))) as CriError & { cause?: object };
    expect(error).toBeInstanceOf(CriError);
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token);
    for (const value of Object.values(error.cause ?? {})) expect(String(value)).not.toContain(token);
    expect(error).toMatchObject({ attempts: 1, details: expect.stringContaining(url.host) });
    return error;
  }

  const answered = (status: number, rest: string) => serveAnswer(`HTTP/1.1 ${status} Whatever\r\n${rest}`);

  describe("a response", () => {
    test.each([
      [200, "UNIMPLEMENTED", "refused"],
      [302, "UNIMPLEMENTED", "answered with a redirect"],
      [308, "UNIMPLEMENTED", "answered with a redirect"],
      [400, "UNIMPLEMENTED", "refused"],
      [401, "UNAUTHENTICATED", "requires other credentials"],
      [403, "UNIMPLEMENTED", "refused"],
      [404, "NOT_FOUND", "its token expired or was already used"],
      [405, "UNIMPLEMENTED", "refused"],
      [409, "UNIMPLEMENTED", "refused"],
      [426, "UNIMPLEMENTED", "refused"],
      [500, "UNAVAILABLE", "failed to start"],
      [501, "UNIMPLEMENTED", "refused"],
      [503, "UNAVAILABLE", "failed to start"],
    ])("HTTP %i fails with %s", async (status, code, message) => {
      const error = await refusal(await answered(status, "\r\nwhy it was\r\nand more"));
      expect(error).toMatchObject({ code, mayHaveTakenEffect: false });
      expect(error.details).toContain(message);
      expect(error.details.endsWith(`(HTTP ${status} for ${protocol}): why it was`)).toBe(true);
    });

    test("without a body is reported", async () => {
      expect((await refusal(await answered(404, "\r\n"))).details).toMatch(/\(HTTP 404 for [^)]*\)$/);
    });

    test("that repeats the token or the path is redacted", async () => {
      const body = `no ${token} at /cri/attach/${token}?x=1, ${token}`;
      expect((await refusal(await answered(500, `\r\n${body}`))).details).toMatch(
        /: no \[redacted\] at \/cri\/attach\/\[redacted\]\?x=1, \[redacted\]$/,
      );
      // At lengths where cutting would split the token.
      for (let length = 240; length <= 256; length++) {
        const { details } = await refusal(await answered(500, `\r\n${"x".repeat(length)}${token}`));
        expect(details).not.toContain(token.slice(0, 2));
      }
    });

    test("with a redirect is not followed", async () => {
      let connections = 0;
      const url: URL = await serveTcp((socket) => {
        connections++;
        socket.once("data", () => socket.end(`HTTP/1.1 302 Found\r\nLocation: ${url.href}/again\r\n\r\n`));
      });
      await refusal(url);
      expect(connections).toBe(1);
    });

    test("quotes the protocols that the server supports", async () => {
      const name = "X-Accepted-Stream-Protocol-Versions";
      const { details } = await refusal(await answered(403, `${name}: v5\r\n${name}: v6, v7\r\n\r\nno`));
      expect(details).toContain(`(HTTP 403 for ${protocol}; it supports only v5, v6, v7): no`);
    });

    test("is quoted without control characters", async () => {
      const { details } = await refusal(await answered(500, "\r\n \u001b[2Jred\u0000\u0007 alert\u202e\u0085x\nmore"));
      expect(details).toMatch(/: {1,2}\[2Jred {3}alert {2}x$/);
    });

    test("is redacted before it is cut, so that no half of a password shows", async () => {
      const text = `https://me:${"s3cret".repeat(15)}@h/`;
      const { details } = await refusal(await answered(500, `\r\n${"x".repeat(200)} ${text}\nmore`));
      expect(details).toContain("xxx https://[redacted]@h/");
    });

    test("with an endless body fails without waiting for its end", async () => {
      const url = await serveTcp((socket) => {
        socket.write("HTTP/1.1 500 Oops\r\n\r\n");
        const timer = setInterval(() => socket.write("x".repeat(100)), 1);
        socket.on("close", () => clearInterval(timer));
      });
      const { details } = await refusal(url);
      expect(details).toContain(`(HTTP 500 for ${protocol}): xxx`);
      expect(details.length).toBeLessThan(400);
    });

    test("whose body is cut off still determines the error", async () => {
      const url = await serveTcp((socket) => {
        const text = "HTTP/1.1 403 No\r\nContent-Length: 50\r\n\r\nhalf a li";
        socket.once("data", () => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20)));
      });
      expect(await refusal(url)).toMatchObject({
        code: "UNIMPLEMENTED",
        details: expect.stringContaining("half a li"),
      });
    });

    test("whose body never arrives fails at the handshake's time limit", async () => {
      const url = await serveTcp(
        (socket) => void socket.resume().write("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\n"),
      );
      expect((await refusal(url, { handshakeTimeoutMs: 100 })).code).toBe("DEADLINE_EXCEEDED");
    });
  });

  describe("no response", () => {
    test.each(["127.0.0.1", "localhost"])("connection refused on %s", async (host) => {
      const error = await refusal(new URL(`http://${host}:1/exec/${token}`));
      expect(error).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
      expect(error.message).toMatch(/ECONNREFUSED/);
    });

    test.each([
      ["at once", ""],
      ["after half a response", "HTTP/1.1 101 Swi"],
      ["after garbage", "\u0000\u0001\u0002 SSH-2.0\r\n\r\n"],
      ["after too many headers", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100_000)}`],
    ])("the server closes the connection %s", async (_name, answer) => {
      expect(await refusal(await serveAnswer(answer))).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    });

    test("an echoed request is not a response and is not quoted", async () => {
      const url = await serveTcp((socket) => void socket.pipe(socket));
      expect(await refusal(url)).toMatchObject({
        code: "UNAVAILABLE",
        details: expect.stringContaining("Parse Error"),
      });
    });

    test.each([
      ["nothing", ""],
      ["half a response", "HTTP/1.1 101 Switching"],
      ["100", "HTTP/1.1 100 Continue\r\n\r\n"],
    ])("the server sends %s, then nothing", async (_name, answer) => {
      const url = await serveTcp((socket) => void socket.resume().write(answer));
      const started = performance.now();
      const error = await refusal(url, { handshakeTimeoutMs: 100 });
      expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: true });
      expect(error.details).toContain(`the ${protocol} handshake within 100 ms`);
      expect(performance.now() - started).toBeLessThan(3_000);
    });

    test("one byte at a time, endlessly", async () => {
      const url = await serveTcp((socket) => {
        let sent = 0;
        const answer = "HTTP/1.1 101 Switching Protocols\r\nX: ";
        const timer = setInterval(() => socket.write(answer[sent++] ?? "x"), 2);
        socket.resume().once("close", () => clearInterval(timer));
      });
      expect((await refusal(url, { handshakeTimeoutMs: 200 })).code).toBe("DEADLINE_EXCEEDED");
    });

    test("a TLS handshake that never completes", async () => {
      const url = await serveTcp((socket) => void socket.resume());
      url.protocol = "https:";
      const error = await refusal(url, { handshakeTimeoutMs: 100 });
      expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: false });
    });
  });

  describe("the signal", () => {
    test("aborted before dialling sends nothing", async () => {
      const reason = { any: "thing" };
      const url = await serveTcp(() => expect.unreachable());
      expect(await rejection(open(url, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    });

    test.each([
      ["connecting", "http:", ""],
      ["TLS", "https:", ""],
      ["waiting", "http:", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["reading a refusal", "http:", "HTTP/1.1 403 No\r\nContent-Length: 50\r\n\r\nhalf a li"],
    ])("aborted while %s rejects with its reason", async (_name, scheme, answer) => {
      const controller = new AbortController();
      const url = await serveTcp(async (socket) => {
        socket.resume().write(answer);
        if (answer !== "") await sleep(20);
        controller.abort("enough");
      });
      url.protocol = scheme;
      expect(await rejection(open(url, { signal: controller.signal }))).toBe("enough");
    });
  });
});
