/** Calls across a kill and a restart of the runtime. */
import { setTimeout as sleep } from "node:timers/promises";
import { ContainerState, CriClient } from "k8s-cri-client";
import { expect, test } from "vitest";
import { expectCode, failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys, sh } from "./helpers/journeys.js";

labJourneys("outage", (fixture) => {
  const { cri, runtime } = fixture;
  const manyRetries = { maxAttempts: 100, maxBackoffMs: 500 };

  test("the same client works again after a kill and a restart, and containers keep running", async () => {
    await using pod = await fixture.pod();
    await using at = await folder();
    await using container = await fixture.container(pod, at.inside);
    await outputOf(container, "echo before > mark");
    await runtime.kill();
    await runtime.start();
    expect((await cri.version({ retry: manyRetries })).runtimeVersion).toContain(runtime.version);
    expect(await outputOf(container, "cat mark")).toBe("before");
    expect((await container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
    await using next = await fixture.container(pod);
    expect(await outputOf(next, "echo works")).toBe("works");
  });

  test("calls during the outage reject with UNAVAILABLE, and the error message asks whether the runtime is running", async () => {
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod);
    await runtime.kill();
    try {
      const failures = [
        await expectCode(cri.version({ retry: false }), "UNAVAILABLE"),
        await expectCode(container.status({ retry: false }), "UNAVAILABLE"),
        await expectCode(container.stop({ retry: false }), "UNAVAILABLE"),
        await expectCode(container.execSync(["true"]), "UNAVAILABLE"),
        await expectCode(cri.images.pull(fixture.image), "UNAVAILABLE"),
      ];
      for (const failure of failures.slice(1)) {
        // containerd leaves its socket file, on which nothing listens.
        expect(failure.message).toMatch(/ENOENT|ECONNREFUSED/);
        expect(failure.message).toMatch(/is the runtime running\?/);
        expect(failure.mayHaveTakenEffect, failure.message).toBe(false);
      }
      const created = await failureOf(cri.pods.run(fixture.podSpec(), { timeoutMs: 1_500 }));
      expect(created).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
      const connecting = await failureOf(CriClient.connect({ endpoint: runtime.endpoint }));
      expect(connecting).toMatchObject({ name: "EndpointError", code: "UNAVAILABLE" });
      expect(String(connecting)).toMatch(/is the runtime running\?/);
    } finally {
      await runtime.start();
    }
    await cri.waitForReady({ timeoutMs: 60_000 });
    expect(await outputOf(container, "echo works")).toBe("works");
  });

  test("read-only calls retry within their deadline until the runtime is back", async () => {
    const pod = await fixture.sharedPod();
    await runtime.kill();
    const calls = Promise.all([
      cri.version({ retry: manyRetries, timeoutMs: 60_000 }),
      cri.pods.get(pod).status({ retry: manyRetries, timeoutMs: 60_000 }),
      cri.pods.list({ id: pod.id }, { retry: manyRetries, timeoutMs: 60_000 }),
      cri.waitForReady({ timeoutMs: 60_000 }),
    ]);
    await sleep(700);
    await runtime.start();
    const [version, status, list] = await calls;
    expect(version.runtimeVersion).toContain(runtime.version);
    expect(status.id).toBe(pod.id);
    expect(list).toHaveLength(1);
  });

  test("wait() returns the exit code across a restart, also of a container that exited during the outage", async () => {
    const pod = await fixture.sharedPod();
    await using firstFolder = await folder();
    await using secondFolder = await folder();
    await using exitsDuringOutage = await fixture.container(pod, {
      ...firstFolder.inside,
      command: sh("while ! test -f go; do sleep 0.05; done; sleep 0.3; exit 42"),
    });
    await using exitsLater = await fixture.container(pod, {
      ...secondFolder.inside,
      command: sh("while ! test -f go; do sleep 0.05; done; exit 43"),
    });
    const ends = [exitsDuringOutage.wait(), exitsLater.wait()];
    await outputOf(exitsDuringOutage, "touch go");
    await runtime.kill();
    await sleep(1_000);
    await runtime.start();
    // containerd 1.7 and later may report 255 and the reason Unknown for a container that exited during the outage.
    const { exitCode, reason } = await ends[0]!;
    expect(reason === "Unknown" ? 255 : 42, `${exitCode} ${reason}`).toBe(exitCode);
    await outputOf(exitsLater, "touch go");
    expect((await ends[1]!).exitCode).toBe(43);
  });

  test("pods.run() across a kill and a restart results in one pod", async () => {
    for (const delay of [30, 120, 300]) {
      const spec = fixture.podSpec();
      const running = cri.pods.run(spec, { timeoutMs: 90_000 });
      const outcome = running.then(
        () => undefined,
        (error: unknown) => error,
      );
      await sleep(delay);
      await runtime.kill();
      await runtime.start();
      expect(await outcome, `killed after ${delay} ms`).toBeUndefined();
      await using pod = await running;
      const pods = await cri.pods.list({ name: spec.name, namespace: fixture.namespace });
      expect(pods.map(({ id }) => id)).toEqual([pod.id]);
      await using container = await fixture.container(pod);
      expect(await outputOf(container, "echo works")).toBe("works");
    }
  });

  test("a command that runs during a kill rejects with UNAVAILABLE, and is not retried", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const command = failureOf(container.execSync(["/bin/sleep", "1000"]));
    await sleep(300);
    await runtime.kill();
    expect(await command).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true, attempts: 1 });
    await runtime.start();
    await cri.waitForReady({ timeoutMs: 60_000 });
  });

  test("read-only calls in a loop all succeed across an orderly restart", async () => {
    const pod = await fixture.sharedPod();
    let stop = false;
    let calls = 0;
    const loop = (async () => {
      while (!stop) {
        await cri.pods.get(pod).status({ retry: manyRetries });
        calls++;
        await sleep(10);
      }
    })();
    await runtime.restart();
    await sleep(300);
    stop = true;
    await loop;
    expect(calls).toBeGreaterThan(0);
  });
});
