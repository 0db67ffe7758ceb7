/** Operations that end early: by the program, by the client, or because nobody reads them any longer. */
import { expect, test } from "vitest";
import type { CallOperation, CriClient } from "../../../src/index.js";
import { rejection, startFake } from "../support.js";
import { collectOperations } from "./operations.js";

/** Opens a stream of events, and reads the first one. */
async function readOneEvent(cri: CriClient, options: { signal?: AbortSignal } = {}) {
  const events = cri.raw.runtime.getContainerEvents({}, options)[Symbol.asyncIterator]();
  const first = events.next();
  // The fake acknowledges no subscription, so one event may come too early.
  const pods = setInterval(() => void cri.pods.run({ name: `p${Math.random()}` }).catch(() => {}), 20);
  await first;
  clearInterval(pods);
  return events;
}

const events = "RuntimeService/GetContainerEvents";
const endsOf = (operations: readonly { kind: string; name: string }[]) =>
  (operations.filter(({ name }) => name === events) as CallOperation[]).map((one) => [
    one.kind,
    one.status,
    one.outcome,
    one.hasFailed,
  ]);

test("a stream that the program stops reading is cancelled, and has not failed", async () => {
  const { cri } = await startFake({ flavor: "containerd-2" });
  const operations = collectOperations(["call", "attempt"]);
  const stream = await readOneEvent(cri);
  expect(endsOf(operations)).toEqual([]);
  await stream.return?.();
  expect(endsOf(operations)).toEqual([
    ["attempt", "CANCELLED", "CANCELLED", false],
    ["call", "CANCELLED", "CANCELLED", false],
  ]);
});

test("a stream that the program forgets ends with its client", async () => {
  const { cri } = await startFake({ flavor: "containerd-2" });
  const operations = collectOperations(["call", "attempt"]);
  await readOneEvent(cri);
  await cri.close();
  expect(endsOf(operations)).toEqual([
    ["attempt", "CANCELLED", "CLIENT_CLOSED", true],
    ["call", "CANCELLED", "CLIENT_CLOSED", true],
  ]);
});

test("a stream whose signal aborts ends once, although nobody reads it", async () => {
  const { cri } = await startFake({ flavor: "containerd-2" });
  const operations = collectOperations(["call", "attempt"]);
  const abort = new AbortController();
  const stream = await readOneEvent(cri, { signal: abort.signal });
  abort.abort(new Error("enough"));
  const ends = [
    ["attempt", "CANCELLED", "CANCELLED", true],
    ["call", "CANCELLED", "CANCELLED", true],
  ];
  expect(endsOf(operations)).toEqual(ends);
  await rejection(stream.next());
  expect(endsOf(operations)).toEqual(ends);
});

test("a watch that nobody needs any longer has not failed", async () => {
  const { cri } = await startFake({ flavor: "containerd-2" });
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  const operations = collectOperations();
  const waiting = container.wait();
  await expect.poll(() => operations.some(({ name }) => name === "watch.relist")).toBe(true);
  await container.stop();
  await waiting;
  await expect
    .poll(() => endsOf(operations))
    .toEqual([
      ["attempt", "CANCELLED", "CANCELLED", false],
      ["call", "CANCELLED", "CANCELLED", false],
    ]);
  await expect
    .poll(() => operations.filter(({ name }) => name === "watch.events"))
    .toMatchObject([{ outcome: "CANCELLED", hasFailed: false, inBackground: true }]);
  expect(operations.filter(({ hasFailed }) => hasFailed).map(({ name }) => name)).toEqual([]);
});

test("a list that the runtime cannot stream has not failed", async () => {
  const { cri } = await startFake({ flavor: "containerd-2" });
  const operations = collectOperations(["call", "attempt"]);
  await cri.pods.list();
  const stream = { name: "RuntimeService/StreamPodSandboxes", outcome: "UNIMPLEMENTED", hasFailed: false };
  expect(operations.slice(0, 2)).toMatchObject([stream, stream]);
  await rejection(cri.raw.runtime.streamPodSandboxes({})[Symbol.asyncIterator]().next());
  expect(operations.at(-1)).toMatchObject({ ...stream, hasFailed: true });
});

test("a call that was never sent has no status", async () => {
  const { cri } = await startFake();
  const operations = collectOperations(["call", "attempt"]);
  await rejection(cri.raw.runtime.version({}, { timeoutMs: -1 }));
  expect(operations).toMatchObject([{ kind: "call", outcome: "INVALID_INPUT", status: undefined, hasFailed: true }]);
});

test("a session that the program closes has not failed, one that it aborts has", async () => {
  const { cri } = await startFake({ exec: () => async () => new Promise<number>(() => {}) });
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  const operations = collectOperations(["session"]);
  for (const transport of ["spdy", "websocket"] as const) {
    const closed = await container.exec(["x"], { transport });
    await closed.close();
    await rejection(closed.exit);
    const abort = new AbortController();
    const aborted = await container.attach({ transport, signal: abort.signal });
    abort.abort();
    await rejection(aborted.ended);
  }
  expect(operations.map(({ name, outcome, hasFailed }) => [name, outcome, hasFailed])).toEqual([
    ["exec", "CANCELLED", false],
    ["attach", "CANCELLED", true],
    ["exec", "CANCELLED", false],
    ["attach", "CANCELLED", true],
  ]);
});

test("a command run by ExecSync reports its exit code", async () => {
  const { cri } = await startFake({ exec: () => ({ exitCode: 3 }) });
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  const operations = collectOperations(["call"]);
  await container.execSync(["x"]);
  expect(operations).toMatchObject([{ name: "RuntimeService/ExecSync", outcome: "OK", exitCode: 3 }]);
});
