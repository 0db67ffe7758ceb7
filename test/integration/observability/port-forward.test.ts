/** Port-forward sessions: bytes, ends, and what they are a part of. */
import { once } from "node:events";
import { connect } from "node:net";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { SessionOperation } from "../../../src/index.js";
import { rejection, startFake } from "../support.js";
import { collectOperations, pathOf } from "./operations.js";

const transports = ["spdy", "websocket"] as const;

/** A server that sends each byte back until the client ends the connection. */
const echo = () =>
  new Duplex({
    read() {},
    write(chunk, _encoding, callback) {
      this.push(chunk);
      callback();
    },
    final(callback) {
      this.push(null);
      callback();
    },
  });

/** Port 80 sends back what it gets, port 81 sends one megabyte, port 82 refuses connections. */
async function serve() {
  const portForward = (_: unknown, port: number) =>
    port === 80 ? echo() : port === 81 ? Duplex.from([Buffer.alloc(1 << 20)]) : undefined;
  const { runtime, cri } = await startFake({ portForward });
  const pod = await cri.pods.run({ name: "p" });
  const operations = collectOperations();
  const sessions = () => operations.filter(({ kind }) => kind === "session") as SessionOperation[];
  return { runtime, cri, pod, operations, sessions };
}

/** Sends a message and waits until it came back. */
async function roundTrip(connection: Duplex, message: string): Promise<void> {
  connection.write(message);
  for (let length = 0; length < message.length; ) length += (await once(connection, "data"))[0].length;
}

test.each(transports)("%s: a session counts the bytes and ends well", async (transport) => {
  const { pod, operations, sessions } = await serve();
  await using forward = pod.portForward([80, 81], { transport });
  const connection = await forward.connect(80);
  await roundTrip(connection, "0123456789");
  connection.destroy();
  await expect.poll(sessions).toHaveLength(1);
  expect((await text(await forward.connect(81))).length).toBe(1 << 20);
  await expect.poll(sessions).toHaveLength(2);
  const subject = { podSandboxId: pod.id };
  const ended = { name: "portForward", transport, outcome: "OK", hasFailed: false, subject };
  expect(sessions()).toMatchObject([
    { ...ended, sentBytes: 10, receivedBytes: 10 },
    { ...ended, sentBytes: 0, receivedBytes: 1 << 20 },
  ]);
  expect(operations.map(pathOf)).toContain("session portForward > call PortForward > attempt PortForward");
});

test("spdy: the session of several connections counts all of them", async () => {
  const { pod, sessions } = await serve();
  await using forward = pod.portForward(80, { transport: "spdy" });
  const connections = await Promise.all([forward.connect(), forward.connect(), forward.connect()]);
  await Promise.all(connections.map((connection, index) => roundTrip(connection, "x".repeat(index + 1))));
  for (const connection of connections) connection.end();
  await expect.poll(sessions).toMatchObject([{ sentBytes: 6, receivedBytes: 6, outcome: "OK" }]);
});

test.each(transports)("%s: a session that loses the runtime has failed, a closed one has not", async (transport) => {
  const { runtime, pod, sessions } = await serve();
  const closed = pod.portForward(80, { transport });
  await roundTrip(await closed.connect(), "x");
  await closed.close();
  await expect.poll(sessions).toMatchObject([{ outcome: "OK", hasFailed: false }]);
  await using forward = pod.portForward(80, { transport });
  await roundTrip(await forward.connect(), "x");
  await runtime.kill();
  await expect.poll(() => sessions().slice(1)).toMatchObject([{ outcome: "UNAVAILABLE", hasFailed: true }]);
});

test("a session that cannot be opened has the code of the error", async () => {
  const { runtime, pod, sessions } = await serve();
  runtime.failNext("PortForward", { code: "PERMISSION_DENIED" });
  await using forward = pod.portForward(80);
  await rejection(forward.connect());
  expect(sessions()).toMatchObject([{ outcome: "PERMISSION_DENIED", hasFailed: true, transport: undefined }]);
});

test("websocket: a refused connection has failed", async () => {
  const { pod, sessions } = await serve();
  await using forward = pod.portForward(82, { transport: "websocket" });
  const connection = await forward.connect();
  await rejection(once(connection.resume(), "end"));
  await expect.poll(sessions).toMatchObject([{ outcome: "UNAVAILABLE", hasFailed: true }]);
});

test.each(transports)("%s: the sessions of a listener are parts of no other operation", async (transport) => {
  const { pod, sessions } = await serve();
  await using forward = pod.portForward(80, { transport });
  await using listener = await forward.listen();
  const socket = connect(listener.address.port, listener.address.address);
  await roundTrip(socket, "hello");
  socket.destroy();
  await listener.close();
  await expect
    .poll(sessions)
    .toMatchObject([{ outcome: "OK", inBackground: true, parent: undefined, sentBytes: 5, receivedBytes: 5 }]);
});

test("spdy: an idle session of a listener that loses the runtime has not failed", async () => {
  const { runtime, pod, sessions } = await serve();
  await using forward = pod.portForward(80, { transport: "spdy" });
  await using listener = await forward.listen();
  const socket = connect(listener.address.port, listener.address.address);
  await roundTrip(socket, "hello");
  socket.end();
  await once(socket.resume(), "close");
  expect(sessions()).toEqual([]);
  await runtime.kill();
  await expect.poll(sessions).toMatchObject([{ outcome: "OK", hasFailed: false }]);
});
