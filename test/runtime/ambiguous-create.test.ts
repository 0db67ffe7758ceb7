/** Creations whose answer is lost: whatever happened, the next try ends with one object. */
import { setTimeout as sleep } from "node:timers/promises";
import { CriError } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { CuttingProxy } from "./helpers/cutting-proxy.js";
import { eventually, expectCode, failureOf, inBatches } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { journeys, sh } from "./helpers/journeys.js";

/** Moments at which to give up: most of them in the middle of the work, some before and after. */
const moments = thorough ? [1, 4, 9, 15, 22, 30, 45, 65, 100, 150] : [1, 9, 22, 45, 100];

journeys("ambiguous", (fixture) => {
  const { cri, runtime } = fixture;

  describe("by the call's own deadline", () => {
    test("a pod: run again under the same uid, there is one", async () => {
      await inBatches([...moments, 300], 3, async (timeoutMs) => {
        const spec = fixture.podSpec({ uid: `${fixture.namespace}-${timeoutMs}` });
        const first = await cri.pods.run(spec, { timeoutMs }).catch((error: unknown) => error);
        if (first instanceof Error) expect(CriError.is(first, "DEADLINE_EXCEEDED"), String(first)).toBe(true);
        await using pod = await cri.pods.run(spec, { timeoutMs: 90_000, adopt: true });
        const pods = await cri.pods.list({ uid: spec.uid });
        expect(pods.map(({ id }) => id)).toEqual([pod.id]);
        expect((await pod.status()).network?.ip).not.toBe("");
      });
    });

    test("a container: created again, there is one, and it works", async () => {
      await using pod = await fixture.hostNetworkPod();
      await inBatches(moments, 3, async (timeoutMs) => {
        const spec = fixture.containerSpec();
        const first = await cri.containers.create(pod, spec, { timeoutMs }).catch((error: unknown) => error);
        if (first instanceof Error) expect(CriError.is(first, "DEADLINE_EXCEEDED"), String(first)).toBe(true);
        await using container = await cri.containers.create(pod, spec, { timeoutMs: 90_000, adopt: true });
        const found = await cri.containers.list({ pod, name: spec.name });
        expect(found.map(({ id }) => id)).toEqual([container.id]);
        await container.start();
        expect((await container.execSync(["true"])).exitCode).toBe(0);
      });
    });
  });

  describe("by abort", () => {
    test("what was being made is gone when the call has rejected, or soon after", async () => {
      const specs = [5, 20, 40, 80, 160, 320].map((delay) => ({
        delay,
        spec: fixture.podSpec({ uid: `a-${fixture.name()}` }),
      }));
      await inBatches(specs, 3, async ({ delay, spec }) => {
        const abort = new AbortController();
        const reason = new Error(`after ${delay} ms`);
        const outcome = cri.pods.run(spec, { signal: abort.signal }).then(
          (pod) => pod[Symbol.asyncDispose](),
          (error: unknown) => error,
        );
        await sleep(delay);
        abort.abort(reason);
        expect([undefined, reason]).toContain(await outcome);
      });
      const uids = new Set(specs.map(({ spec }) => spec.uid));
      const left = async () => (await cri.pods.list()).filter(({ metadata }) => uids.has(metadata?.uid));
      await eventually(left, ({ length }) => length === 0);
    });

    test("a signal that has aborted already sends nothing", async () => {
      const records: string[] = [];
      const client = fixture.client({ logger: { debug: (message) => void records.push(message) } });
      const reason = new Error("before it began");
      const options = { signal: AbortSignal.abort(reason) };
      expect(await failureOf(client.pods.run(fixture.podSpec(), options))).toBe(reason);
      expect(
        await failureOf(client.containers.create(await fixture.sharedPod(), fixture.containerSpec(), options)),
      ).toBe(reason);
      expect(records).toEqual([]);
      await client.close();
    });
  });

  describe.skipIf(!runtime.endpoint.startsWith("unix:"))("by a connection that is cut", () => {
    for (const cut of ["after-request", "before-reply"] as const) {
      test(`a pod, ${cut}: success, and there is one`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        await client.version();
        proxy.cutNext("RunPodSandbox", cut);
        const spec = fixture.podSpec();
        await using pod = await client.pods.run(spec);
        const pods = await cri.pods.list({ name: spec.name, namespace: fixture.namespace });
        expect(pods.map(({ id }) => id)).toEqual([pod.id]);
        // It is this call's own work, whether its answer was heard or not.
        expect(pod.adopted).toBe(false);
        expect((await pod.status()).network?.ip).not.toBe("");
      });

      test(`a container, ${cut}: success, and there is one`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        await client.version();
        proxy.cutNext("CreateContainer", cut);
        const pod = await fixture.sharedPod();
        const spec = fixture.containerSpec();
        await using container = await client.createContainerInSandbox(pod, spec);
        const found = await cri.containers.list({ pod, name: spec.name });
        expect(found.map(({ id }) => id)).toEqual([container.id]);
        await container.start();
        expect((await cri.containers.execSync(container, ["true"])).exitCode).toBe(0);
      });

      test(`a start, ${cut}: settled by what became of it`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        const pod = await fixture.sharedPod();
        await using container = await pod.createContainer(fixture.containerSpec());
        await client.version();
        proxy.cutNext("StartContainer", cut);
        const failure = await client.containers.start(container).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) {
          expect((await container.execSync(["true"])).exitCode).toBe(0);
        } else {
          // containerd may take the loss of its caller for a reason to give up, and such a container cannot be started again.
          expect(cut).toBe("after-request");
          expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
          expect(String(failure)).toContain("could not be started");
          expect((await container.status()).reason).toBe("StartError");
        }
      });

      test(`calls that may be repeated, ${cut}: nobody notices`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        const pod = await fixture.sharedPod();
        await using container = await fixture.container(pod);
        await client.version();
        proxy.cutNext("Version", cut);
        expect((await client.version()).runtimeVersion).toContain(runtime.version);
        proxy.cutNext("ListContainers", cut);
        expect(await client.containers.list({ pod, id: container.id })).toHaveLength(1);
        proxy.cutNext("StopContainer", cut);
        await client.containers.stop(container, { gracePeriodSeconds: 0 });
        proxy.cutNext("RemoveContainer", cut);
        await client.containers.remove(container);
      });

      test(`a command, ${cut}: never run twice`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        await using at = await folder();
        await using container = await fixture.container(await fixture.sharedPod(), at.inside);
        await client.version();
        proxy.cutNext("ExecSync", cut);
        const failure = await expectCode(
          client.containers.execSync(container, sh("echo once >> count")),
          "UNAVAILABLE",
        );
        expect(failure).toMatchObject({ mayHaveTakenEffect: true, attempts: 1 });
        const { stdout } = await container.execSync(sh("cat count 2>/dev/null || true"));
        expect(["", "once\n"]).toContain(stdout);
      });
    }
  });

  test("a name that is another's: the error names the holder, and the holder is left alone", async () => {
    const pod = await fixture.sharedPod();
    await using holder = await fixture.container(pod);
    const { name } = holder.config.metadata!;
    const failure = await failureOf(pod.createContainer(fixture.containerSpec({ name, env: { OTHER: "1" } })));
    expect(failure).toMatchObject({ name: "NameReservedError", code: "NAME_RESERVED", holderId: holder.id });
    expect((await holder.execSync(["true"])).exitCode).toBe(0);
    // The same configuration, but running: not what a creation leaves behind.
    const same = await failureOf(pod.createContainer(fixture.containerSpec({ name })));
    expect(same).toMatchObject({ code: "NAME_RESERVED", holderId: holder.id });
  });
});
