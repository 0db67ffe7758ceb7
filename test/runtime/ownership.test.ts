/** Disposal of owned pods and containers, and rollback of failed creations. */
import { setTimeout as sleep } from "node:timers/promises";
import { CriError, type OwnedContainer } from "k8s-cri-client";
import { expect, test } from "vitest";
import { expectCode, failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { waitForFile } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("ownership", (fixture) => {
  const { cri } = fixture;

  /** Creates a client and records the RPCs that it sends, in order, with their outcomes. */
  function recordingClient() {
    const calls: string[] = [];
    const client = fixture.client({
      logger: { debug: (_, { method, outcome }) => void calls.push(`${method} ${outcome}`) },
    });
    return { client, calls };
  }

  test("the end of a block stops and removes its objects in reverse order", async () => {
    const { client, calls } = recordingClient();
    const ids: string[] = [];
    {
      await using pod = await client.pods.run(fixture.podSpec({ hostNetwork: true }));
      await using one = await client.runContainerInSandbox(pod, fixture.containerSpec());
      await using two = await client.runContainerInSandbox(pod, fixture.containerSpec());
      ids.push(pod.id, one.id, two.id);
      calls.length = 0;
    }
    expect(calls.filter((call) => /\/(Stop|Remove)/.test(call))).toEqual(
      [
        "StopContainer",
        "RemoveContainer",
        "StopContainer",
        "RemoveContainer",
        "StopPodSandbox",
        "RemovePodSandbox",
      ].map((method) => `RuntimeService/${method} OK`),
    );
    await expectRemoved(ids);
    await client.close();
  });

  test("a block that throws removes its objects, and its error is rethrown", async () => {
    const ids: string[] = [];
    const failure = await failureOf(
      (async () => {
        await using pod = await fixture.hostNetworkPod();
        await using container = await fixture.container(pod);
        ids.push(pod.id, container.id);
        throw new Error("from the block");
      })(),
    );
    expect(failure).toEqual(new Error("from the block"));
    await expectRemoved(ids);
  });

  test("disposal removes objects even after the caller's signal has aborted", async () => {
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const reason = new Error("enough");
    const ids: string[] = [];
    const failure = await failureOf(
      (async () => {
        await using pod = await cri.pods.run(fixture.podSpec({ hostNetwork: true }), options);
        await using container = await pod.runContainer(fixture.containerSpec(), options);
        ids.push(pod.id, container.id);
        abort.abort(reason);
        await container.execSync(["true"], options);
      })(),
    );
    expect(failure).toBe(reason);
    await expectRemoved(ids);
  });

  test("disposing twice, one after the other or concurrently, removes once", async () => {
    const { client, calls } = recordingClient();
    const pod = await client.pods.run(fixture.podSpec({ hostNetwork: true }));
    await Promise.all([pod[Symbol.asyncDispose](), pod[Symbol.asyncDispose]()]);
    await pod[Symbol.asyncDispose]();
    expect(calls.filter((call) => call.includes("RemovePodSandbox"))).toHaveLength(1);
    await client.close();
  });

  test("disposing of something that was already removed succeeds", async () => {
    const pod = await fixture.hostNetworkPod();
    const container = await fixture.container(pod);
    await cri.pods.get(pod.id).stop();
    await cri.pods.remove(pod.id);
    await container[Symbol.asyncDispose]();
    await pod[Symbol.asyncDispose]();
  });

  test("disposal leaves released pods and containers running", async () => {
    const kept: { pod?: string; container?: string } = {};
    {
      await using pod = await fixture.hostNetworkPod();
      await using container = await fixture.container(pod);
      const borrowed = pod.release();
      expect(borrowed.id).toBe(pod.id);
      expect(Symbol.asyncDispose in borrowed).toBe(false);
      kept.pod = pod.id;
      kept.container = container.release().id;
    }
    await cri.containers.get(kept.container!).status();
    await cri.pods.get(kept.pod!).stop();
    await cri.pods.remove(kept.pod!);
    await expectRemoved([kept.pod!, kept.container!]);
  });

  test("disposal obeys the grace period of the spec", async () => {
    const pod = await fixture.sharedPod();
    const command = sh("trap 'sleep 1; exit 7' TERM; echo > up; while :; do sleep 0.05; done");
    const exitCodeAfterDisposal = async (terminationGracePeriodSeconds: number) => {
      await using at = await folder();
      const container = await fixture.container(pod, { ...at.inside, command, terminationGracePeriodSeconds });
      await waitForFile(container, "up");
      const exit = container.wait();
      await container[Symbol.asyncDispose]();
      return await exit.then(
        ({ exitCode }) => exitCode,
        // The container was removed before wait() could read the exit code.
        (error: unknown) => (CriError.is(error, "NOT_FOUND") ? undefined : Promise.reject(error)),
      );
    };
    expect([7, undefined]).toContain(await exitCodeAfterDisposal(20));
    expect([137, undefined]).toContain(await exitCodeAfterDisposal(0));
  });

  test("disposal kills at once if the spec has no grace period", async () => {
    const { terminationGracePeriodSeconds: _, ...spec } = fixture.containerSpec();
    const pod = await fixture.sharedPod();
    const container = await pod.runContainer(spec);
    const startedAt = performance.now();
    await container[Symbol.asyncDispose]();
    // The process ignores SIGTERM. With the 30 s default of stop(), disposal would take that long.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test("containers inherit the grace period of their pod unless they have their own", async () => {
    await using pod = await fixture.hostNetworkPod({ terminationGracePeriodSeconds: 3 });
    const { terminationGracePeriodSeconds: _, ...spec } = fixture.containerSpec();
    await using inheriting = await pod.createContainer(spec);
    await using other = await pod.createContainer(fixture.containerSpec({ terminationGracePeriodSeconds: 1 }));
    expect(inheriting.terminationGracePeriodSeconds).toBe(3);
    expect(other.terminationGracePeriodSeconds).toBe(1);
  });

  test("rolls back a container that does not start", async () => {
    const pod = await fixture.sharedPod();
    const name = fixture.name("broken");
    const { client, calls } = recordingClient();
    const failure = await expectCode(
      client.runContainerInSandbox(pod, fixture.containerSpec({ name, command: ["/no/such/program"] })),
      "COMMAND_NOT_FOUND",
    );
    expect(failure.method).toBe(`RuntimeService/${fixture.traits.missingProgramFails}`);
    expect(failure.suppressed).toEqual([]);
    if (fixture.traits.missingProgramFails === "StartContainer") {
      expect(calls.at(-1)).toBe("RuntimeService/RemoveContainer OK");
    }
    expect(await cri.containers.list({ pod, name })).toEqual([]);
    await using again = await fixture.container(pod, { name });
    expect(again.adopted).toBe(false);
    await client.close();
  });

  test("a failed image pull creates no container", async () => {
    const pod = await fixture.sharedPod();
    const name = fixture.name("imageless");
    const failure = await failureOf(
      pod.runContainer(fixture.containerSpec({ name, image: "localhost:1/not/there:1" })),
    );
    expect(failure).toMatchObject({ name: "ImagePullError", image: "localhost:1/not/there:1" });
    expect(await cri.containers.list({ pod, name })).toEqual([]);
  });

  test("aborting during the start rolls back the container and rejects with the signal's reason", async () => {
    const pod = await fixture.sharedPod();
    for (const delay of [0, 40, 120]) {
      const name = fixture.name("aborted");
      const abort = new AbortController();
      const reason = new Error(`after ${delay} ms`);
      const run: Promise<OwnedContainer> = pod.runContainer(fixture.containerSpec({ name }), { signal: abort.signal });
      const outcome = run.then(
        (container) => container[Symbol.asyncDispose](),
        (error: unknown) => error,
      );
      await sleep(delay);
      abort.abort(reason);
      expect([undefined, reason]).toContain(await outcome);
      expect(await cri.containers.list({ pod, name }), `aborted after ${delay} ms`).toEqual([]);
    }
  });

  test("closing a client removes nothing", async () => {
    const client = fixture.client();
    const pod = await client.pods.run(fixture.podSpec({ hostNetwork: true }));
    await client.close();
    expect((await expectCode(pod.status(), "CLIENT_CLOSED")).attempts).toBe(0);
    expect((await cri.pods.get(pod.id).status()).id).toBe(pod.id);
    await cri.pods.get(pod.id).stop();
    await cri.pods.remove(pod.id);
  });

  async function expectRemoved(ids: readonly string[]): Promise<void> {
    const remaining = [...(await cri.pods.list()), ...(await cri.containers.list())].map(({ id }) => id);
    expect(remaining.filter((id) => ids.includes(id))).toEqual([]);
  }
});
