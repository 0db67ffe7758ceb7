import { onTestFinished } from "vitest";
import { type ConnectOptions, CriClient } from "../../src/index.js";
import { FakeRuntime, type FakeRuntimeOptions } from "../../src/testing/index.js";

/** Starts a fake runtime and a client for it. Both are stopped after the test. */
export async function startFake(
  fakeOptions: FakeRuntimeOptions = {},
  connectOptions: Omit<ConnectOptions, "endpoint"> = {},
): Promise<{ runtime: FakeRuntime; cri: CriClient }> {
  const runtime = await FakeRuntime.start({ images: ["busybox:1"], ...fakeOptions });
  onTestFinished(() => runtime.stop());
  const cri = CriClient.lazy({ endpoint: runtime.endpoint, ...connectOptions });
  onTestFinished(() => cri.close());
  return { runtime, cri };
}

/** Returns what a promise rejects with. Throws if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected the promise to reject");
}
