// node:test: fake timers for the code under test. Sockets keep working with any set of fake timers.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { FakeRuntime } from "k8s-cri-client/testing";

/** The code under test: polls once a minute whether a container has exited. */
async function exitCodeOf(container) {
  for (;;) {
    const { finishedAt, exitCode } = await container.status();
    if (!finishedAt.isZero()) return exitCode;
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
}

for (const apis of [["setTimeout"], ["setTimeout", "setInterval", "setImmediate", "Date"]]) {
  test(`finds the exit code a minute later: ${apis}`, async () => {
    mock.timers.enable({ apis });
    const runtime = await FakeRuntime.start();
    const cri = await runtime.connect();
    const pod = await cri.pods.run({ name: "demo" });
    const container = await pod.runContainer({ name: "main", image: "busybox:1.37" });

    const polled = runtime.nextCall("ContainerStatus");
    const exitCode = exitCodeOf(container);
    await polled;
    await container.stop();
    mock.timers.tick(60_000);
    assert.equal(await exitCode, 143);

    await cri.close();
    await runtime.stop();
    mock.timers.reset();
  });
}
