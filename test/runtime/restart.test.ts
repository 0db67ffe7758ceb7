/** Restarting a container: the next attempt replaces it, as with a kubelet. */
import { ContainerState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf, expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf, waitForFile } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("restart", (fixture) => {
  const { cri } = fixture;
  const environment = { SECRET: "kept", BYTES: Uint8Array.of(0xc3, 0xbc, 1) };

  test("replaces the container with the next attempt of the same configuration", async () => {
    await using logs = await folder();
    await using pod = await fixture.hostNetworkPod({ logDirectory: logs.path });
    const old = await fixture.container(pod, { env: environment, labels: { a: "b" }, workingDir: "/tmp" });
    await using next = await old.restart();
    expect(next.id).not.toBe(old.id);
    await expectCode(old.status(), "NOT_FOUND");
    const status = await next.status();
    expect(status).toMatchObject({
      state: ContainerState.CONTAINER_RUNNING,
      metadata: { name: old.config.metadata!.name, attempt: 1 },
      labels: { a: "b" },
    });
    expect(status.logPath).toMatch(/\.1\.log$/);
    expect(await outputOf(next, 'echo "$SECRET"; pwd; printf %s "$BYTES" | od -An -tx1')).toBe("kept\n/tmp\n c3 bc 01");
    await using third = await next.restart({ gracePeriodSeconds: 0 });
    expect((await third.status()).metadata?.attempt).toBe(2);
    expect(await cri.containers.list({ pod })).toHaveLength(1);
  });

  test("keepOld keeps the old container with its exit code", async () => {
    const pod = await fixture.sharedPod();
    await using at = await folder();
    await using old = await fixture.container(pod, {
      ...at.inside,
      command: sh("trap 'exit 11' TERM; echo > up; while :; do sleep 0.05; done"),
    });
    await waitForFile(old, "up");
    await using next = await old.restart({ keepOld: true, gracePeriodSeconds: 30 });
    expect(await old.status()).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 11 });
    expect((await next.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
  });

  test("restarts a container that has exited", async () => {
    await using old = await fixture.container(await fixture.sharedPod(), { command: sh("exit 3") });
    await old.wait();
    await using next = await old.restart();
    expect((await next.wait()).exitCode).toBe(3);
  });

  test("a borrowed handle restarts with the configuration that the runtime reports", async () => {
    const pod = await fixture.sharedPod();
    const old = await fixture.container(pod, { env: environment, security: { runAsUser: 1234 } });
    const given = fixture.traits.reportsConfig ? {} : { config: old.config };
    await using next = await cri.containers.get(old.id).restart({ gracePeriodSeconds: 0, ...given });
    expect(await outputOf(next, 'id -u; echo "$SECRET"; printf %s "$BYTES" | od -An -tx1')).toBe(
      "1234\nkept\n c3 bc 01",
    );
    expect(next.config.metadata).toMatchObject({ name: old.config.metadata!.name, attempt: 1 });
    expect(next.podSandboxId).toBe(pod.id);
    await expectCode(old.status(), "NOT_FOUND");
  });

  test("a failed restart keeps the old container stopped, and rolls back the new one", async () => {
    const pod = await fixture.sharedPod();
    await using old = await fixture.container(pod);
    const config = { ...old.config, command: ["/no/such/program"] };
    const failure = await criFailureOf(old.restart({ config, gracePeriodSeconds: 0 }));
    expect(failure.message).toMatch(/no such file|not found/);
    expect((await old.status()).state).toBe(ContainerState.CONTAINER_EXITED);
    const left = await cri.containers.list({ pod, name: old.config.metadata!.name });
    expect(left.map(({ id }) => id)).toEqual([old.id]);
    await using next = await old.restart();
    expect((await next.status()).metadata?.attempt).toBe(1);
  });
});
