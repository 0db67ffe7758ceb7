/** Ours and the bare stubs are measured against each other, so they have to ask the runtime for the same. */
import { expect, onTestFinished, test } from "vitest";
import { Bare } from "../../bench/lifecycle/bare.js";
import { live } from "../../bench/lifecycle/ours.js";
import { fileFor, podConfig } from "../../bench/lifecycle/pod.js";
import type { FakeRuntime } from "../../src/testing/index.js";
import { startFake } from "./support.js";

/** The calls of one life, without what is no one else's. */
function take(runtime: FakeRuntime) {
  const text = JSON.stringify(
    runtime.calls.map(({ rpc, request }) => ({ rpc, request })),
    (key, value) => (key === "annotations" ? {} : value),
  );
  runtime.clearCalls();
  return JSON.parse(text.replace(/"[0-9a-f]{64}"|"[0-9a-f-]{36}"/g, '"an id"'));
}

test("a life through the facade is the same calls with the same requests as through bare stubs", async () => {
  // Over TCP, because the bare stubs have no named pipes for Windows.
  const { runtime, cri } = await startFake({ endpoint: "http://127.0.0.1:0" }, { allowInsecureTcp: true });
  const bare = new Bare(runtime.endpoint);
  onTestFinished(() => bare[Symbol.dispose]());
  await live(cri, "busybox:1", "warm-up"); // asks for the version, once for each connection
  runtime.clearCalls();
  await live(cri, "busybox:1", "one");
  const ours = take(runtime);
  await bare.live("busybox:1", "one");
  expect(ours).toHaveLength(10);
  expect(take(runtime)).toEqual(ours);
});

test("the files for crictl have the schema's names", () => {
  const file = JSON.parse(fileFor(podConfig("one")));
  expect(file.linux.security_context.namespace_options.network).toBe(2);
  expect(file.port_mappings).toBeUndefined();
  expect(Object.keys(file).join()).not.toMatch(/[A-Z]/);
});
