/**
 * Verifies docs/testing.md on vitest's fake timers: sockets continue to work, and the test controls the client's timers.
 *
 * @module
 */
import { afterEach, expect, test, vi } from "vitest";
import { FakeRuntime } from "../../src/testing/index.js";

afterEach(() => void vi.useRealTimers());

test.each([
  ["the default", undefined],
  ["only the date", { toFake: ["Date"] }],
  ["time that advances", { shouldAdvanceTime: true }],
] as const)("calls work under fake timers: %s", async (_name, config) => {
  vi.useFakeTimers(config as Parameters<typeof vi.useFakeTimers>[0]);
  await using runtime = await FakeRuntime.start();
  await using cri = await runtime.connect();
  await using pod = await cri.pods.run({ name: "demo" });
  const container = await pod.runContainer({ name: "main", image: "busybox:1" });
  expect((await container.execSync(["echo", "hi"])).stdout).toBe("hi\n");
  expect(await container.execOutput(["echo", "hi"])).toMatchObject({ stdout: "hi\n" });
});
