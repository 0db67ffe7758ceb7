/**
 * What calls to hostile peers are held against, and the two ways to answer them that take flow control.
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

/** What a call has for its time where nothing else can end it, in milliseconds. */
export const shortMs = 300;

/** What it has elsewhere: enough for a machine that has other things to do. */
export const longMs = 15_000;

/** How much later than its time it may end on such a machine. */
const patienceMs = 5_000;

/** How much memory a call may take, in MiB. */
export const mostMebibytes = 128;

/** What became of a call, which may take neither long nor much, and may not keep the event loop from other work. */
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
  expect(watch.elapsedMs).toBeLessThan(timeoutMs + patienceMs);
  expect(watch.mebibytes).toBeLessThan(mostMebibytes);
  expect(watch.stallMs).toBeLessThan(maxStallMs);
  if (result === "OK") return result;
  expect(CriError.is(result), String(result)).toBe(true);
  expect(result.message.length).toBeLessThan(5_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  expect(result.stack).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufffe]/);
  return result;
}

/** Puts a good runtime in the place of a hostile peer: the client finds it by itself, and leaves nothing open when it is closed. */
export async function recovers(cri: CriClient, server: HostileServer): Promise<void> {
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

/** Some messages and a status. */
export function answer(stream: ServerHttp2Stream, messages: readonly Uint8Array[], status = 0): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": `${status}` }));
  stream.end(Buffer.concat(messages.map((message) => envelope(message))));
}

/** The same messages again and again, as fast as flow control has it; tells how many times they were sent. */
export function pour(stream: ServerHttp2Stream, messages: Uint8Array): { times: number } {
  const poured = { times: 0 };
  stream.respond({ ":status": 200, "content-type": "application/grpc" });
  const write = () => {
    let free = stream.writable;
    for (; free; poured.times++) free = stream.write(messages) && stream.writable;
  };
  stream.on("drain", write);
  write();
  return poured;
}
