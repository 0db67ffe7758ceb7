/**
 * The limits for calls to hostile peers, and two ways to send replies that respect flow control.
 *
 * @module
 */
import type { ServerHttp2Stream } from "node:http2";
import { expect, onTestFinished } from "vitest";
import { CriClient, CriError } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { recordFigures } from "../support/figures.js";
import { envelope, type HostileServer } from "../support/hostile-server.js";
import { maxStallMs, ResourceWatch } from "../support/resource-watch.js";

export const mebibyte = 2 ** 20;

/** Time limit of a call that only its deadline ends. */
export const shortMs = 300;

/** Time limit of other calls, long enough for a busy machine. */
export const longMs = 15_000;

/** How long after its deadline a call may end on a busy machine. */
const toleranceMs = 5_000;

/** Limit on the memory of a call, in MiB. */
export const maxMebibytes = 128;

/** Returns the outcome of a call. Checks its duration, its memory and the stalls of the event loop. */
export async function outcome(
  call: (timeoutMs: number) => Promise<unknown>,
  timeoutMs = longMs,
): Promise<CriError | "OK"> {
  using watch = new ResourceWatch();
  const result = await call(timeoutMs).then(
    () => "OK" as const,
    (error: unknown) => error as CriError,
  );
  recordFigures(result === "OK" ? result : result.code, watch);
  expect(watch.elapsedMs).toBeLessThan(timeoutMs + toleranceMs);
  expect(watch.mebibytes).toBeLessThan(maxMebibytes);
  expect(watch.stallMs).toBeLessThan(maxStallMs);
  if (result === "OK") return result;
  expect(CriError.is(result), String(result)).toBe(true);
  expect(result.message.length).toBeLessThan(5_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern rejects control characters
  expect(result.stack).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufffe]/);
  return result;
}

/** Replaces a hostile peer with a fake runtime. Checks that the client reconnects, and leaves no connection when it is closed. */
export async function expectRecovery(cri: CriClient, server: HostileServer): Promise<void> {
  await server.stop();
  const runtime = await FakeRuntime.start({ endpoint: server.endpoint });
  onTestFinished(() => runtime.stop());
  await cri.waitForReady({ timeoutMs: 20_000 });
  expect((await cri.version()).runtimeName).toBe("containerd");
  await cri.close();
  await expect.poll(() => runtime.connectionCount, { timeout: 5_000 }).toBe(0);
}

export function clientOf({ endpoint }: HostileServer, limitMebibytes = 80): CriClient {
  const channelOptions = { "grpc.max_receive_message_length": limitMebibytes * mebibyte };
  const cri = CriClient.lazy({ endpoint, allowInsecureTcp: true, channelOptions });
  onTestFinished(() => cri.close());
  return cri;
}

/** Sends messages and a status. */
export function sendReply(stream: ServerHttp2Stream, messages: readonly Uint8Array[], status = 0): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": `${status}` }));
  stream.end(Buffer.concat(messages.map((message) => envelope(message))));
}

/** Sends the same messages endlessly, as fast as flow control permits. Counts how many times they were sent. */
export function floodStream(stream: ServerHttp2Stream, messages: Uint8Array): { times: number } {
  const sent = { times: 0 };
  stream.respond({ ":status": 200, "content-type": "application/grpc" });
  const write = () => {
    let free = stream.writable;
    for (; free; sent.times++) free = stream.write(messages) && stream.writable;
  };
  stream.on("drain", write);
  write();
  return sent;
}
