/** The benchmark compares this package with plain stubs, so both must send the same requests. */
import { expect, onTestFinished, test } from "vitest";
import { Bare } from "../../bench/lifecycle/bare.js";
import { runLifecycle } from "../../bench/lifecycle/ours.js";
import { fileFor, podConfig } from "../../bench/lifecycle/pod.js";
import type { FakeRuntime } from "../../src/testing/index.js";
import { startFake } from "./support.js";

/** Returns the recorded calls without ids and annotations, and clears them. */
function takeCalls(runtime: FakeRuntime) {
  const json = JSON.stringify(
    runtime.calls.map(({ rpc, request }) => ({ rpc, request })),
    (key, value) => (key === "annotations" ? {} : value),
  );
  runtime.clearCalls();
  return JSON.parse(json.replace(/"[0-9a-f]{64}"|"[0-9a-f-]{36}"/g, '"an id"'));
}

test("the facade sends the same requests as plain stubs in a pod lifecycle", async () => {
  // Over TCP, because the plain stubs do not support Windows' named pipes.
  const { runtime, cri } = await startFake({ endpoint: "http://127.0.0.1:0" }, { allowInsecureTcp: true });
  const bare = new Bare(runtime.endpoint);
  onTestFinished(() => bare[Symbol.dispose]());
  await runLifecycle(cri, "busybox:1", "warm-up"); // calls Version, once per connection
  runtime.clearCalls();
  await runLifecycle(cri, "busybox:1", "one");
  const ours = takeCalls(runtime);
  await bare.runLifecycle("busybox:1", "one");
  expect(ours).toHaveLength(10);
  expect(takeCalls(runtime)).toEqual(ours);
});

test("the files for crictl use the field names of the schema", () => {
  const file = JSON.parse(fileFor(podConfig("one")));
  expect(file.linux.security_context.namespace_options.network).toBe(2);
  expect(file.port_mappings).toBeUndefined();
  expect(Object.keys(file).join()).not.toMatch(/[A-Z]/);
});
