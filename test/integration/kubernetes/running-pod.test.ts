import { access } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { startPod } from "./support.js";

describe("a running pod", () => {
  test("is ready, and is removed with everything when it is disposed of", async () => {
    const { runtime, pod, plan } = await startPod({ containers: [{ name: "main", image: "busybox:1" }] });
    await pod.waitReady({ timeoutMs: 10_000 });
    expect(pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
    await pod.dispose();
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
    await expect(access(plan.podDirectory)).rejects.toThrow("ENOENT");
    await expect(access(plan.logDirectory)).rejects.toThrow("ENOENT");
  });
});
