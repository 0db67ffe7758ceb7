/** Deadlines while the runtime is frozen. */
import { expect, test } from "vitest";
import { expectCode, failureOf } from "./helpers/expectations.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("deadline", (fixture) => {
  const { cri, runtime } = fixture;

  test("every kind of call rejects at its deadline, and the client works again when the runtime is thawed", async () => {
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod);
    {
      using _frozen = await runtime.freeze();
      const calls: Record<string, (options: { timeoutMs: number }) => Promise<unknown>> = {
        version: (options) => cri.version(options),
        list: (options) => cri.containers.list({}, options),
        status: (options) => container.status(options),
        exec: (options) => container.execSync(["true"], options),
        stop: (options) => container.stop(options),
        wait: (options) => container.wait(options),
        pull: (options) => cri.images.pull(fixture.image, options),
        stats: (options) => cri.stats.containers({}, options),
        ready: (options) => cri.waitForReady(options),
        raw: (options) => cri.raw.runtime.version({}, options),
      };
      for (const [name, call] of Object.entries(calls)) {
        const startedAt = performance.now();
        const failure = await failureOf(call({ timeoutMs: 300 }));
        const tookMs = performance.now() - startedAt;
        expect(failure, name).toMatchObject({ code: name === "raw" ? 4 : "DEADLINE_EXCEEDED" });
        expect(tookMs, name).toBeGreaterThan(290);
        expect(tookMs, name).toBeLessThan(5_000);
      }
      const read = await expectCode(cri.version({ timeoutMs: 100 }), "DEADLINE_EXCEEDED");
      expect(read).toMatchObject({ mayHaveTakenEffect: false, attempts: 1 });
      const write = await expectCode(container.stop({ timeoutMs: 100 }), "DEADLINE_EXCEEDED");
      expect(write).toMatchObject({ mayHaveTakenEffect: true, method: "RuntimeService/StopContainer" });
    }
    expect((await cri.version()).runtimeVersion).toContain(runtime.version);
  });

  test("obeys an absolute deadline, the earlier of deadline and timeoutMs, and a deadline in the past", async () => {
    using _frozen = await runtime.freeze();
    const startedAt = performance.now();
    await expectCode(cri.version({ deadline: new Date(Date.now() + 300) }), "DEADLINE_EXCEEDED");
    await expectCode(cri.version({ deadline: new Date(Date.now() + 60_000), timeoutMs: 300 }), "DEADLINE_EXCEEDED");
    await expectCode(cri.version({ deadline: new Date(Date.now() + 300), timeoutMs: 60_000 }), "DEADLINE_EXCEEDED");
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    const expired = await expectCode(cri.version({ deadline: new Date(Date.now() - 1) }), "DEADLINE_EXCEEDED");
    expect(expired.attempts).toBe(0);
  });

  test("an abort rejects the call at once", async () => {
    using _frozen = await runtime.freeze();
    const abort = new AbortController();
    const call = failureOf(cri.version({ signal: abort.signal }));
    const reason = new Error("aborted by the caller");
    setTimeout(() => abort.abort(reason), 100);
    expect(await call).toBe(reason);
  });

  test("connect() times out on a runtime that accepts connections but never replies", async () => {
    const { CriClient } = await import("k8s-cri-client");
    using _frozen = await runtime.freeze();
    const failure = await failureOf(CriClient.connect({ endpoint: runtime.endpoint, connectTimeoutMs: 500 }));
    expect(failure).toMatchObject({ name: "EndpointError", endpoint: runtime.endpoint });
    expect((failure as { code: string }).code).toMatch(/^(DEADLINE_EXCEEDED|UNAVAILABLE)$/);
  });

  test("a call that has not timed out succeeds when the runtime is thawed", async () => {
    const frozen = await runtime.freeze();
    const version = cri.version();
    setTimeout(frozen.thaw, 700);
    expect((await version).runtimeVersion).toContain(runtime.version);
  });

  test("a pod whose creation timed out leaves nothing, and the next attempt succeeds", async () => {
    const spec = fixture.podSpec({ uid: `frozen-${fixture.namespace}` });
    {
      const frozen = await runtime.freeze();
      setTimeout(frozen.thaw, 600);
      const failure = await expectCode(cri.pods.run(spec, { timeoutMs: 300 }), "DEADLINE_EXCEEDED");
      expect(failure.mayHaveTakenEffect).toBe(true);
    }
    await using pod = await cri.pods.run(spec);
    expect((await cri.pods.list({ uid: spec.uid })).map(({ id }) => id)).toEqual([pod.id]);
  });
});
