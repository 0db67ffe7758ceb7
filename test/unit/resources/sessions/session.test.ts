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

const origin = { method: "RuntimeService/Exec", endpoint: "unix:///run/runtime.sock" };

/** A session whose output has ended, but whose status has not arrived. */
function awaitingStatus(stdinBytes: number, shortOutput?: string) {
  let sendStatus = (_: RemoteStatus) => {};
  let fail = (_: unknown) => {};
  const status = new Promise<RemoteStatus>((resolve, reject) => {
    [sendStatus, fail] = [resolve, reject];
  });
  const command: RemoteCommand = {
    transport: "spdy",
    protocol: "v4.channel.k8s.io",
    canHalfCloseStdin: true,
    stdin: new PassThrough(),
    stdout: new PassThrough().end().resume(),
    stderr: null,
    stdinBytes,
    droppedBytes: 0,
    outputBytes: 0,
    shortOutput,
    closed: new Promise(() => {}),
    status,
    resize: () => {},
    destroy: (reason) => fail(reason),
  };
  return { session: new ExecSession(command, origin, "nope"), sendStatus };
}

test("waits without a limit for a command that has closed its outputs", async () => {
  const { session, sendStatus } = awaitingStatus(65_535);
  await vi.advanceTimersByTimeAsync(3_600_000);
  sendStatus({ kind: "exited", exitCode: 4 });
  expect(await session.exit).toEqual({ exitCode: 4 });
});

test("fails if no exit code arrives after much input, which the command may have left unread", async () => {
  const { session } = awaitingStatus(65_536);
  const failure = expect(session.exit).rejects.toMatchObject({
    code: "UNAVAILABLE",
    mayHaveTakenEffect: true,
    ...origin,
  });
  await vi.advanceTimersByTimeAsync(20_100);
  await failure;
});

test("rejects with COMMAND_NOT_FOUND if the command does not exist", async () => {
  const { session, sendStatus } = awaitingStatus(0);
  sendStatus({ kind: "failed", reason: "InternalError", message: 'exec: "x": executable file not found in $PATH' });
  await expect(session.exit).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
});

const crio = String.raw`time="2026-11-28T17:16:20Z" level=error msg="exec failed: unable to start container process: exec: \"nope\": executable file not found in $PATH"`;
const docker =
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": stat /nope: no such file or directory: unknown';

test.each([
  ["CRI-O", 255, `${crio}\n`],
  ["Docker", 126, `${docker}\r\n`],
])(
  "rejects with COMMAND_NOT_FOUND if %s reports a missing command as exit code %d and output",
  async (_, exitCode, output) => {
    const { session, sendStatus } = awaitingStatus(0, output);
    sendStatus({ kind: "exited", exitCode });
    await expect(session.exit).rejects.toMatchObject({
      code: "COMMAND_NOT_FOUND",
      details: expect.stringMatching(/exec: "nope": /),
    });
  },
);

test.each([
  ["with another exit code", 1, `${docker}\r\n`],
  ["about another program", 126, `${docker.replace('"nope"', '"other"')}\r\n`],
  ["with more output around it", 126, `starting\n${docker}\r\n`],
  ["that is too long to be the runtime's", 126, undefined],
])("treats output like a runtime's error message %s as output of the command", async (_, exitCode, output) => {
  const { session, sendStatus } = awaitingStatus(0, output);
  sendStatus({ kind: "exited", exitCode });
  expect(await session.exit).toEqual({ exitCode });
});

test("reports that CRI-O loses the exit code of a command with unread input", async () => {
  const { session, sendStatus } = awaitingStatus(300_000);
  const message = "Internal error occurred: error executing command in container: write |1: broken pipe";
  sendStatus({ kind: "failed", reason: "InternalError", message });
  await expect(session.exit).rejects.toMatchObject({
    code: "UNAVAILABLE",
    details: expect.stringContaining("left input unread"),
  });
});
