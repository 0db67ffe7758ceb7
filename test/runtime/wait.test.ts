/** Waiting for containers to exit. */
import { CriError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { expectCode, failureOf, inBatches } from "./helpers/expectations.js";
import { journeys, sh } from "./helpers/journeys.js";

const containerCount = thorough ? 200 : 15;

journeys("wait", (fixture) => {
  const { cri } = fixture;

  test("wait() called before or after the exit returns its code and times, on owned and borrowed handles", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { command: sh("sleep 0.5; exit 5") });
    const early = container.wait();
    const exit = await cri.containers.get(container.id).wait();
    expect(exit).toMatchObject({ exitCode: 5, reason: "Error" });
    expect(exit.finishedAt!.getTime()).toBeGreaterThan(exit.startedAt!.getTime());
    expect(exit.status.id).toBe(container.id);
    expect((await early).exitCode).toBe(5);
    expect((await container.wait()).exitCode).toBe(5);
  });

  test("can wait for a container that has not started", async () => {
    await using container = await (await fixture.sharedPod()).createContainer(
      fixture.containerSpec({ command: sh("exit 0") }),
    );
    const exit = container.wait();
    await container.start();
    expect(await exit).toMatchObject({ exitCode: 0, reason: "Completed" });
  });

  test(`each of ${containerCount} short-lived containers gets its own exit code`, { timeout: 500_000 }, async () => {
    await using pod = await fixture.hostNetworkPod();
    const codes = Array.from({ length: containerCount }, (_, index) => index);
    const seen: number[] = [];
    const waits: Promise<void>[] = [];
    await inBatches(codes, 8, async (code) => {
      const container = await fixture.container(pod, { command: sh(`exit ${code}`) });
      waits.push(
        container.wait().then(async ({ exitCode }) => {
          seen[code] = exitCode;
          await container[Symbol.asyncDispose]();
        }),
      );
    });
    await Promise.all(waits);
    expect(seen).toEqual(codes);
    expect(await cri.containers.list({ pod })).toEqual([]);
  });

  test("many calls can wait for one container", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { command: sh("sleep 0.4; exit 9") });
    const exits = await Promise.all(Array.from({ length: 20 }, () => container.wait()));
    expect(exits.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 20 }, () => 9));
  });

  test("returns the exit code of a stopped container", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const exit = container.wait();
    await container.stop({ gracePeriodSeconds: 0 });
    expect(await exit).toMatchObject({ exitCode: 137, reason: "Error" });
  });

  test("an abort rejects with the signal's reason, and the container keeps running", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const abort = new AbortController();
    const wait = failureOf(container.wait({ signal: abort.signal }));
    const reason = new Error("aborted by the caller");
    setTimeout(() => abort.abort(reason), 300);
    expect(await wait).toBe(reason);
    expect((await container.execSync(["true"])).exitCode).toBe(0);
    expect(await failureOf(container.wait({ signal: abort.signal }))).toBe(reason);
  });

  test("timeoutMs and deadline reject with DEADLINE_EXCEEDED", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await expectCode(container.wait({ timeoutMs: 400 }), "DEADLINE_EXCEEDED");
    await expectCode(container.wait({ deadline: new Date(Date.now() + 400) }), "DEADLINE_EXCEEDED");
  });

  test("while the container is removed, wait() returns its exit or rejects with NOT_FOUND", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const wait = container.wait().then(
      ({ exitCode }) => exitCode,
      (error: unknown) => (CriError.is(error) ? error.code : error),
    );
    await container.remove();
    expect([137, "NOT_FOUND"]).toContain(await wait);
  });
});
