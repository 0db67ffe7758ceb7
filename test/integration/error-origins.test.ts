/** Errors of sessions, copies and logs name the RPC and the endpoint, whichever part of the client reports them. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CriError, type SessionOptions } from "../../src/index.js";
import type { Program } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const endless: Program = ({ signal }) => once(signal, "abort").then(() => 0);
const largeOutput: Program = ({ stdout }) => {
  stdout.write("x".repeat(1_000));
  return 0;
};

async function serve(options: Parameters<typeof startFake>[0] = {}) {
  const exec = (_: unknown, command: readonly string[]) => {
    if (command[0] === "missing") return undefined;
    if (command[0] === "much") return largeOutput;
    if (command[0] === "ls") return { exitCode: 0, stdout: "/file\n" };
    if (command[0] === "tar") return { exitCode: 0, stdout: "x".repeat(2_000) };
    // The script with which the client kills a command.
    return command[2]?.includes("kill -9") ? { exitCode: 0, stdout: "1\n" } : endless;
  };
  const { runtime, cri } = await startFake({ exec, ...options });
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1", stdin: true });
  return { runtime, cri, pod, container };
}

type Fixture = Awaited<ReturnType<typeof serve>>;

/** Each entry makes a session fail, and returns the promise that rejects. */
const failures: Readonly<Record<string, (fixture: Fixture, options: SessionOptions) => Promise<unknown>>> = {
  "a missing program": async ({ container }, o) => (await container.exec(["missing"], o)).exit,
  "a closed session": async ({ container }, o) => {
    const session = await container.exec(["forever"], o);
    await session.close();
    return session.exit;
  },
  "the output of a closed session": async ({ container }, o) => {
    const session = await container.exec(["forever"], o);
    const failed = once(session.stdout, "end");
    await session.close();
    return failed;
  },
  "a session at its time limit": async ({ container }, o) =>
    (await container.exec(["forever"], { ...o, timeoutMs: 1_000 })).exit,
  "a command at its time limit": async ({ container }, o) =>
    (await container.exec(["forever"], { ...o, commandTimeoutSeconds: 0.5 })).exit,
  "a runtime that stops": async ({ runtime, container }, o) => {
    const session = await container.exec(["forever"], o);
    await runtime.stop();
    return session.exit;
  },
  "an attach to a runtime that stops": async ({ runtime, container }, o) => {
    const session = await container.attach(o);
    await runtime.stop();
    return session.ended;
  },
  "an output above its limit": ({ container }, o) => container.execOutput(["much"], { ...o, maxOutputBytes: 10 }),
  "a copy of a malformed archive": ({ container }, o) => container.copyFrom("/file", join(tmpdir(), randomUUID()), o),
  "a container that was not started": async ({ pod }) => {
    const container = await pod.createContainer({ name: "d", image: "busybox:1", logPath: "d.log" });
    for await (const _ of container.logs());
  },
  "a token that was already used": async ({ runtime, container }, o) => {
    runtime.respondNext("Exec", ({ url = "" }) => ({ url: `${url}x` }));
    return container.exec(["forever"], o);
  },
  "a streaming server that is down": async ({ runtime, container }, o) => {
    runtime.respondNext("Exec", () => ({ url: "http://127.0.0.1:1/exec/x" }));
    return container.exec(["forever"], o);
  },
  "an invalid streaming URL": async ({ runtime, container }, o) => {
    runtime.respondNext("Exec", () => ({ url: "ftp://127.0.0.1/exec/x" }));
    return container.exec(["forever"], o);
  },
  "a port without a server": async ({ pod }, o) => {
    const forward = pod.portForward(80, o);
    const connection = await forward.connect();
    connection.resume();
    const failed = once(connection, "end");
    return failed;
  },
  "a connection through a listener": async ({ pod }, o) => {
    await using listener = await pod.portForward(80, o).listen();
    const failed = once(listener, "connectionError");
    connect(listener.address.port)
      .on("error", () => {})
      .resume();
    throw (await failed)[0];
  },
};

describe.each(["spdy", "websocket"] as const)("over %s", (transport) => {
  test.each(Object.entries(failures))("%s", async (_name, fail) => {
    const fixture = await serve();
    const error = await rejection(fail(fixture, { transport }));
    expect(error).toMatchObject({
      code: expect.any(String),
      method: expect.stringMatching(/^RuntimeService\/(Exec|Attach|PortForward|ContainerStatus)$/),
      endpoint: fixture.cri.endpoint,
    });
    const { message, stack } = error as Error;
    expect(message).toContain(`(${fixture.cri.endpoint})`);
    expect(stack).toContain(message);
  });
});

test("the reason of the caller's signal is not changed, even if it is an error of this package", async () => {
  const { container } = await serve();
  const other = new CriError({ code: "ABORTED", message: "the caller's own error" });
  const controller = new AbortController();
  const session = await container.exec(["forever"], { signal: controller.signal });
  controller.abort(other);
  expect(await rejection(session.exit)).toBe(other);
  expect(other).toMatchObject({ method: undefined, endpoint: undefined, message: "[ABORTED] the caller's own error" });
});
