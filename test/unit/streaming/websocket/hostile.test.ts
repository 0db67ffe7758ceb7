import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../../src/errors.js";
import { openWebSocketPortForward } from "../../../../src/streaming/websocket/port-forward.js";
import { openWebSocketRemoteCommand } from "../../../../src/streaming/websocket/remote-command.js";
import { binary, closing, failure, frame, serveBare, success, switching } from "./support.js";

const streams = { stdin: true, stdout: true, stderr: true, tty: false };

/** Opens a session with a server that accepts it and then runs a script. */
async function sessionWith(part: (socket: Socket) => unknown) {
  const server = await serveBare((socket, head) => {
    socket.write(switching(head));
    part(socket);
  });
  return { server, session: await openWebSocketRemoteCommand(server.url, streams) };
}

describe("a server that breaks off", () => {
  test.each<[string, (socket: Socket) => unknown, RegExp]>([
    ["at once", (socket) => socket.end(), /ended before its status arrived \(the connection was cut\)/],
    ["by a reset", (socket) => socket.resetAndDestroy(), /ended before its status arrived \(the connection was cut\)/],
    ["after output", (socket) => socket.end(binary(1, "x")), /the connection was cut/],
    ["within a frame", (socket) => socket.end(binary(1, "xyz").subarray(0, 3)), /the connection was cut/],
    ["with a close frame, without a status", (socket) => socket.end(closing(1000, "done")), /close code 1000, "done"/],
    ["without a code", (socket) => socket.end(frame(8, Buffer.alloc(0))), /close code 1005/],
    ["going away", (socket) => socket.end(closing(1001)), /close code 1001/],
    [
      "after an empty status",
      (socket) => socket.end(Buffer.concat([frame(2, Buffer.of(3)), closing(1000)])),
      /code 1000/,
    ],
  ])("%s", async (_, part, message) => {
    const { server, session } = await sessionWith(part);
    session.stdout?.resume();
    const error = await failure(session.status);
    expect(error).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(error.message).toMatch(message);
    await expect.poll(() => [session.stdout?.destroyed, session.stdin?.destroyed]).toEqual([true, true]);
    expect(session.stdout?.errored).toBe(error);
    await server.drained();
  });
});

describe("a server that violates the protocol", () => {
  test.each<[string, Buffer, RegExp]>([
    ["text", frame(1, Buffer.from("1aGk=")), /a text message instead of a binary one/],
    ["a masked frame", Buffer.from("8283000000000169", "hex"), /MASK/],
    ["a reserved opcode", frame(3, Buffer.of(1)), /opcode/],
    ["a reserved bit", Buffer.from("c2020178", "hex"), /RSV1/],
    ["a continuation without a first frame", frame(0, Buffer.of(1)), /opcode/],
    ["a header that announces a huge frame", Buffer.from("827f0000000100000000", "hex"), /Max payload/],
    [
      "a frame length above the largest safe integer",
      Buffer.from("827fffffffffffffffff", "hex"),
      /Unsupported WebSocket frame|Max payload/,
    ],
    ["an invalid close code", closing(5), /status code/],
    ["garbage", Buffer.alloc(4_096, 0xf7), /./],
  ])("with %s", async (_, bytes, message) => {
    const { server, session } = await sessionWith((socket) => socket.write(bytes));
    const error = await failure(session.status);
    expect(error).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(error.message).toMatch(/the session broke before its status arrived: /);
    expect(error.message).toMatch(message);
    await server.drained();
  });

  test("in fragments that add up beyond the limit", async () => {
    const piece = Buffer.alloc(1 << 20);
    const { server, session } = await sessionWith((socket) => {
      socket.write(frame(2, piece, { fin: false }));
      for (let i = 0; i < 6; i++) socket.write(frame(0, piece, { fin: false }));
    });
    expect((await failure(session.status)).message).toMatch(/Max payload/);
    await server.drained();
  });
});

describe("a server with unusual but valid messages", () => {
  test.each<[string, Buffer[]]>([
    [
      "unknown channels, empty messages, ready marks",
      [
        frame(2, Buffer.alloc(0)),
        frame(2, Buffer.of(1)),
        frame(2, Buffer.of(3)),
        binary(0, "what you said"),
        binary(4, "{}"),
        binary(9, "?"),
        binary(255, "\u0000"),
      ],
    ],
    ["a ping", [frame(9, Buffer.from("?"))]],
    ["a fragmented message", [frame(2, Buffer.of(1), { fin: false }), frame(0, Buffer.alloc(0))]],
  ])("%s", async (_, frames) => {
    const bytes = Buffer.concat([...frames, binary(1, "out"), binary(3, success), closing(1000)]);
    const { server, session } = await sessionWith((socket) => socket.end(bytes));
    expect(await text(session.stdout!)).toBe("out");
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    await server.drained();
  });

  test("one byte at a time", async () => {
    const bytes = Buffer.concat([binary(1, "out"), binary(2, "err"), binary(3, success), closing(1000)]);
    const { session } = await sessionWith(async (socket) => {
      for (const byte of bytes) {
        socket.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
    });
    expect(await Promise.all([text(session.stdout!), text(session.stderr!)])).toEqual(["out", "err"]);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("a status without a close frame ends the session and, later, the connection", async () => {
    const { server, session } = await sessionWith((socket) => socket.write(binary(3, success)));
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    expect(await text(session.stdout!)).toBe("");
    await server.drained();
  });

  test("a status and a close frame arrive while the outputs are not read", async () => {
    const bytes = Buffer.concat([
      ...Array.from({ length: 3 }, () => binary(1, "x".repeat(60_000))),
      binary(3, success),
    ]);
    const { server, session } = await sessionWith((socket) => socket.write(bytes));
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    await server.drained();
    expect((await text(session.stdout!)).length).toBe(180_000);
  });

  test("messages after the status are dropped", async () => {
    const bytes = Buffer.concat([binary(3, success), binary(1, "late"), binary(3, "{}"), closing(1000)]);
    const { session } = await sessionWith((socket) => socket.end(bytes));
    expect(await text(session.stdout!)).toBe("");
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("the status arrives although the client's writes are reset", async () => {
    for (let i = 0; i < 20; i++) {
      const part = new Promise<Socket>((resolve) => {
        onSession = resolve;
      });
      const { server, session } = await sessionWith((socket) => onSession(socket.pause()));
      const socket = await part;
      await new Promise((resolve) => session.stdin?.write(Buffer.alloc(1_000), resolve));
      await new Promise((resolve) =>
        socket.write(Buffer.concat([binary(1, "bye"), binary(3, success), closing(1000)]), resolve),
      );
      // The server closes without reading the client's bytes, which resets the connection. The client writes before it reads.
      socket.destroy();
      const written = new Promise((resolve) => session.stdin?.write("more", resolve));
      expect(await text(session.stdout!)).toBe("bye");
      expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
      await written;
      await server.drained();
    }
  });
});

let onSession: (socket: Socket) => void;

test("settles and frees the connection for any input", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.uint8Array({ maxLength: 200 }), fc.boolean())
      .map(([opcode, bytes, fin]) => frame(opcode, bytes, { fin })),
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.string()).map(([channel, words]) => binary(channel, words)),
    fc.constant(binary(3, success)),
  );
  let bytes = Buffer.alloc(0);
  const server = await serveBare((socket, head) => socket.end(Buffer.concat([Buffer.from(switching(head)), bytes])));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      bytes = Buffer.concat(pieces);
      const session = await openWebSocketRemoteCommand(server.url, streams);
      const outcome = await session.status.catch((error: unknown) => error);
      if (outcome instanceof Error) expect(CriError.is(outcome, "UNAVAILABLE")).toBe(true);
      const forwarded = await openWebSocketPortForward(server.url, 80);
      forwarded.resume();
      await new Promise((resolve) => forwarded.once("close", resolve));
    }),
    { numRuns: 150 },
  );
  await server.drained();
}, 60_000);
