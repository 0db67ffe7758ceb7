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
function silent(stdinBytes: number, shortOutput?: string) {
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
    droppedBytes: 0,
    shortOutput,
    closed: new Promise(() => {}),
    status,
    resize: () => {},
    destroy: (reason) => refuse(reason),
  };
  return { session: new ExecSession(command, "nope"), answer };
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

const crio = String.raw`time="2026-11-28T17:16:20Z" level=error msg="exec failed: unable to start container process: exec: \"nope\": executable file not found in $PATH"`;
const docker =
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": stat /nope: no such file or directory: unknown';

test.each([
  ["CRI-O", 255, `${crio}\n`],
  ["Docker", 126, `${docker}\r\n`],
])(
  "a missing command is COMMAND_NOT_FOUND where %s reports it as exit code %d and output",
  async (_, exitCode, output) => {
    const { session, answer } = silent(0, output);
    answer({ kind: "exited", exitCode });
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
])("output like a runtime's message %s is the command's own", async (_, exitCode, output) => {
  const { session, answer } = silent(0, output);
  answer({ kind: "exited", exitCode });
  expect(await session.exit).toEqual({ exitCode });
});

test("an exit code that CRI-O lost together with unread input has an error that says so", async () => {
  const { session, answer } = silent(300_000);
  const message = "Internal error occurred: error executing command in container: write |1: broken pipe";
  answer({ kind: "failed", reason: "InternalError", message });
  await expect(session.exit).rejects.toMatchObject({
    code: "UNAVAILABLE",
    details: expect.stringContaining("left input unread"),
  });
});
