import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ExecSession } from "../../../../src/resources/sessions/session.js";
import type { RemoteCommand, RemoteStatus } from "../../../../src/streaming/transport.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A command whose output has ended, and whose status is missing. */
function silent(stdinBytes: number) {
  let answer = (_: RemoteStatus) => {};
  let refuse = (_: unknown) => {};
  const status = new Promise<RemoteStatus>((resolve, reject) => {
    [answer, refuse] = [resolve, reject];
  });
  const command: RemoteCommand = {
    transport: "spdy",
    protocol: "v4.channel.k8s.io",
    canHalfCloseStdin: true,
    stdin: new PassThrough(),
    stdout: new PassThrough().end().resume(),
    stderr: null,
    stdinBytes,
    closed: new Promise(() => {}),
    status,
    resize: () => {},
    destroy: (reason) => refuse(reason),
  };
  return { session: new ExecSession(command), answer };
}

test("a command that has closed its outputs may run on for as long as it likes", async () => {
  const { session, answer } = silent(65_535);
  await vi.advanceTimersByTimeAsync(3_600_000);
  answer({ kind: "exited", exitCode: 4 });
  expect(await session.exit).toEqual({ exitCode: 4 });
});

test("one that may have left much of its input unread is given up, for its exit code may never come", async () => {
  const { session } = silent(65_536);
  const failure = expect(session.exit).rejects.toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
  await vi.advanceTimersByTimeAsync(20_100);
  await failure;
});

test("a command that is not there has a code of its own", async () => {
  const { session, answer } = silent(0);
  answer({ kind: "failed", reason: "InternalError", message: 'exec: "x": executable file not found in $PATH' });
  await expect(session.exit).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
});
