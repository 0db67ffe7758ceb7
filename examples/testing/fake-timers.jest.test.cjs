// jest: fake timers for the code under test, with two settings that keep sockets working. The default setting stops them.
const { FakeRuntime } = require("k8s-cri-client/testing");

/** The code under test: polls once a minute whether a container has exited. */
async function exitCodeOf(container) {
  for (;;) {
    const { finishedAt, exitCode } = await container.status();
    if (!finishedAt.isZero()) return exitCode;
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
}

afterEach(() => jest.useRealTimers());

test.each([{ advanceTimers: true }, { doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] }])(
  "finds the exit code a minute later: %j",
  async (options) => {
    jest.useFakeTimers(options);
    const runtime = await FakeRuntime.start();
    const cri = await runtime.connect();
    const pod = await cri.pods.run({ name: "demo" });
    const container = await pod.runContainer({ name: "main", image: "busybox:1.37" });

    const polled = runtime.nextCall("ContainerStatus");
    const exitCode = exitCodeOf(container);
    await polled;
    await container.stop();
    const before = runtime.callsOf("ContainerStatus").length;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await exitCode).toBe(143);
    expect(runtime.callsOf("ContainerStatus")).toHaveLength(before + 1);

    await cri.close();
    await runtime.stop();
  },
);
