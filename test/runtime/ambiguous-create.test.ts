/** Creations whose reply is lost. After the next attempt, exactly one object exists. */
import { setTimeout as sleep } from "node:timers/promises";
import { CriError } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { CuttingProxy } from "./helpers/cutting-proxy.js";
import { eventually, expectCode, failureOf, inBatches } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { journeys, sh } from "./helpers/journeys.js";

/** Deadlines in milliseconds. Most expire during the creation, some before it and some after it. */
const timeouts = thorough ? [1, 4, 9, 15, 22, 30, 45, 65, 100, 150] : [1, 9, 22, 45, 100];

journeys("ambiguous", (fixture) => {
  const { cri, runtime } = fixture;

  describe("after the deadline of the call", () => {
    test("running a pod again with the same uid results in one pod", async () => {
      await inBatches([...timeouts, 300], 3, async (timeoutMs) => {
        const spec = fixture.podSpec({ uid: `${fixture.namespace}-${timeoutMs}` });
        const first = await cri.pods.run(spec, { timeoutMs }).catch((error: unknown) => error);
        if (first instanceof Error) expect(CriError.is(first, "DEADLINE_EXCEEDED"), String(first)).toBe(true);
        await using pod = await cri.pods.run(spec, { timeoutMs: 90_000, adopt: true });
        const pods = await cri.pods.list({ uid: spec.uid });
        expect(pods.map(({ id }) => id)).toEqual([pod.id]);
        expect((await pod.status()).network?.ip).not.toBe("");
      });
    });

    test("creating a container again results in one container, which runs commands", async () => {
      await using pod = await fixture.hostNetworkPod();
      await inBatches(timeouts, 3, async (timeoutMs) => {
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

  describe("after an abort", () => {
    test("a pod that was being created is removed soon after the call rejects", async () => {
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
      const remaining = async () => (await cri.pods.list()).filter(({ metadata }) => uids.has(metadata?.uid));
      await eventually(remaining, ({ length }) => length === 0);
    });

    test("a call whose signal is already aborted sends nothing", async () => {
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

  describe.skipIf(!runtime.endpoint.startsWith("unix:"))("after the connection is lost", () => {
    for (const cut of ["after-request", "before-reply"] as const) {
      test(`${cut}: pods.run() succeeds with one pod`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        await client.version();
        proxy.cutNext("RunPodSandbox", cut);
        const spec = fixture.podSpec();
        await using pod = await client.pods.run(spec);
        const pods = await cri.pods.list({ name: spec.name, namespace: fixture.namespace });
        expect(pods.map(({ id }) => id)).toEqual([pod.id]);
        // This call created the pod, even if it never received the reply.
        expect(pod.adopted).toBe(false);
        expect((await pod.status()).network?.ip).not.toBe("");
      });

      test(`${cut}: createContainerInSandbox() succeeds with one container`, async () => {
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
        expect((await cri.containers.get(container).execSync(["true"])).exitCode).toBe(0);
      });

      test(`${cut}: containers.get().start() reports whether the container started`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        const pod = await fixture.sharedPod();
        await using container = await pod.createContainer(fixture.containerSpec());
        await client.version();
        proxy.cutNext("StartContainer", cut);
        const failure = await client.containers
          .get(container)
          .start()
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        if (failure === undefined) {
          expect((await container.execSync(["true"])).exitCode).toBe(0);
        } else {
          // containerd may cancel a start whose caller disconnects. It cannot start that container again.
          expect(cut).toBe("after-request");
          expect(failure).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
          expect(String(failure)).toContain("could not be started");
          expect((await container.status()).reason).toBe("StartError");
        }
      });

      test(`${cut}: retries idempotent calls, which then succeed`, async () => {
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
        await client.containers.get(container).stop({ gracePeriodSeconds: 0 });
        proxy.cutNext("RemoveContainer", cut);
        await client.containers.remove(container);
      });

      test(`${cut}: execSync() never runs a command twice`, async () => {
        await using proxy = await CuttingProxy.start(runtime.endpoint);
        await using client = fixture.client({ endpoint: proxy.endpoint });
        await using at = await folder();
        await using container = await fixture.container(await fixture.sharedPod(), at.inside);
        await client.version();
        proxy.cutNext("ExecSync", cut);
        const failure = await expectCode(
          client.containers.get(container).execSync(sh("echo once >> count")),
          "UNAVAILABLE",
        );
        expect(failure).toMatchObject({ mayHaveTakenEffect: true, attempts: 1 });
        const { stdout } = await container.execSync(sh("cat count 2>/dev/null || true"));
        expect(["", "once\n"]).toContain(stdout);
      });
    }
  });

  test("the error for a reserved name contains the id of the holder, which stays unchanged", async () => {
    const pod = await fixture.sharedPod();
    await using holder = await fixture.container(pod);
    const { name } = holder.config.metadata!;
    const failure = await failureOf(pod.createContainer(fixture.containerSpec({ name, env: { OTHER: "1" } })));
    expect(failure).toMatchObject({ name: "NameReservedError", code: "NAME_RESERVED", holderId: holder.id });
    expect((await holder.execSync(["true"])).exitCode).toBe(0);
    // The holder has the same configuration, but it runs. It is therefore not the remainder of a failed creation.
    const same = await failureOf(pod.createContainer(fixture.containerSpec({ name })));
    expect(same).toMatchObject({ code: "NAME_RESERVED", holderId: holder.id });
  });
});
